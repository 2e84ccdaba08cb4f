"""How keys are called: a text with columns in braces, each of which stands for anything without a colon."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SLOT = re.compile(r"\{([a-z_][a-z0-9_]*)\}", re.IGNORECASE)
_WILD = re.compile(r"([*?\[\]^\\])")


@dataclass(frozen=True)
class Pattern:
    """Such as `customer:{id}`."""

    text: str
    columns: tuple[str, ...] = field(init=False)
    _shape: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = _SLOT.split(self.text)
        shape = "".join(f"(?P<{p}>[^:]+)" if odd % 2 else re.escape(p) for odd, p in enumerate(parts))
        object.__setattr__(self, "columns", tuple(parts[1::2]))
        object.__setattr__(self, "_shape", re.compile(shape))

    def read(self, key: str) -> dict[str, str] | None:
        """The columns of a key, if it is one of these."""
        found = self._shape.fullmatch(key)
        return found.groupdict() if found else None

    def key(self, columns: Mapping[str, str]) -> str:
        """The key of these columns."""
        return _SLOT.sub(lambda slot: columns[slot[1]], self.text)

    def glob(self, columns: Mapping[str, str]) -> str:
        """What the server scans for, where only these columns are known."""
        parts = _SLOT.split(self.text)
        return "".join(_part(p, columns) if odd % 2 else _tame(p) for odd, p in enumerate(parts))


def _part(column: str, columns: Mapping[str, str]) -> str:
    return _tame(columns[column]) if column in columns else "*"


def _tame(text: str) -> str:
    return _WILD.sub(r"\\\1", text)
