"""A long content sealed piece by piece, so that nobody ever holds it whole.

Each piece is bound to its number, and the last one to being the last: none can be left out, moved or cut off.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

PIECE: Final = 256 * 1024
Seal = Callable[[str, bytes], str]
Open = Callable[[str, str], bytes]


class Sealing:
    """Takes a content in any portions and gives it back sealed, a line for each piece."""

    def __init__(self, name: str, seal: Seal) -> None:
        self._name = name
        self._seal = seal
        self._waiting = bytearray()
        self._number = 0

    def add(self, plain: bytes) -> bytes:
        """The lines that are ready; what fills no whole piece yet waits."""
        self._waiting += plain
        lines = bytearray()
        while len(self._waiting) > PIECE:
            lines += self._line(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return bytes(lines)

    def end(self) -> bytes:
        """The last line, be it of an empty piece."""
        return self._line(bytes(self._waiting), last=True)

    def _line(self, plain: bytes, *, last: bool) -> bytes:
        sealed = self._seal(_field(self._name, self._number, last=last), plain)
        self._number += 1
        return sealed.encode() + b"\n"


def opening(lines: Iterable[bytes], name: str, open_: Open) -> Iterator[bytes]:
    """The content of sealed lines, piece by piece; raises what `open_` raises where anything was changed."""
    waiting: bytes | None = None
    number = 0
    for line in lines:
        if waiting is not None:
            yield open_(_field(name, number, last=False), _text(waiting))
            number += 1
        waiting = line
    yield open_(_field(name, number, last=True), _text(waiting or b""))


def _field(name: str, number: int, *, last: bool) -> str:
    if last and number == 0:
        return name
    return f"{name}:{number}:last" if last else f"{name}:{number}"


def _text(line: bytes) -> str:
    return line.rstrip(b"\n").decode("ascii", "replace")
