"""A value that must not be printed, and a comparison that takes the same time whatever it finds."""

from hmac import compare_digest
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Secret(Generic[T]):
    """Holds a value that reaches no log, traceback or pickle; `reveal` is the one way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


def same_secret(presented: str | bytes, expected: str | bytes) -> bool:
    """Whether both are equal, in a time that does not tell how far they agree."""
    return compare_digest(_as_bytes(presented), _as_bytes(expected))


def _as_bytes(value: str | bytes) -> bytes:
    # surrogatepass: a hostile header may hold lone surrogates, and a comparison must not raise.
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
