"""Reading the servers' logs: the last lines of each, and on request every line that comes."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import StackError


def read(home: Path, part: str | None, *, lines: int, follow: bool) -> Iterator[str]:
    """Lines as people should see them; with more than one log, each names its own."""
    found = [path for path in sorted((home / "logs").glob("*.log")) if part is None or _belongs(path, part)]
    if not found:
        raise StackError(f"There is no log of {part or 'the stack'} in {home}; run `habeas stack up` first.")
    several = len(found) > 1
    for path in found:
        with path.open(errors="replace") as file:
            yield from (_told(path, line, named=several) for line in deque(file, maxlen=lines))
    if follow:
        yield from _following({path: path.stat().st_size for path in found}, named=several)


def _belongs(path: Path, part: str) -> bool:
    """The light broker answers to Kafka's name, and so do three brokers."""
    return path.stem.partition("-")[0] in ({"kafka", "light"} if part == "kafka" else {part})


def _following(seen: dict[Path, int], *, named: bool) -> Iterator[str]:
    while True:
        for path, before in seen.items():
            fresh, seen[path] = _since(path, before)
            yield from (_told(path, line, named=named) for line in fresh)
        time.sleep(0.3)


def _since(path: Path, before: int) -> tuple[list[str], int]:
    """Whole lines only; a file that became shorter was begun anew."""
    size = path.stat().st_size if path.exists() else 0
    begin = before if size >= before else 0
    if size == begin:
        return [], begin
    with path.open("rb") as file:
        file.seek(begin)
        whole = file.read().rpartition(b"\n")[0]
    return whole.decode(errors="replace").splitlines(), begin + (len(whole) + 1 if whole else 0)


def _told(path: Path, line: str, *, named: bool) -> str:
    return f"{path.stem:<9} {line.rstrip()}" if named else line.rstrip()
