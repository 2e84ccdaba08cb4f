"""What the fault proxy understands of PostgreSQL's and Kafka's protocols: statements, transactions, requests."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.proxy import Spoken

_SSL_REQUEST, _GSS_REQUEST = 80877103, 80877104
PRODUCE = 0
FETCH = 1
OFFSET_COMMIT = 8


@dataclass
class PostgresEar:
    """A commit says what its transaction did: `COMMIT after INSERT ... UPDATE ...`; anything else is its statement."""

    who: str = ""
    _held: bytes = b""
    _started: bool = False
    _statements: dict[bytes, str] = field(default_factory=dict)
    _done: list[str] = field(default_factory=list)

    def forth(self, data: bytes) -> list[Spoken]:
        self._held += data
        spoken: list[Spoken] = []
        while (size := self._size()) is not None and len(self._held) >= size:
            message, self._held = self._held[:size], self._held[size:]
            spoken.append((message, self._said(message), None))
        return spoken

    def back(self, data: bytes) -> list[tuple[bytes, object]]:
        return [(data, None)]

    def _size(self) -> int | None:
        """Of the next message; the first ones of a connection have no type."""
        kind = 1 if self._started else 0
        if len(self._held) < kind + 4:
            return None
        (length,) = struct.unpack_from(">i", self._held, kind)
        return kind + int(length)

    def _said(self, message: bytes) -> str:
        if not self._started:
            (code,) = struct.unpack_from(">i", message, 4)
            self._started = code not in {_SSL_REQUEST, _GSS_REQUEST}
            return ""
        kind, body = message[:1], message[5:]
        if kind == b"Q":
            return self._simple(body.rstrip(b"\0").decode())
        if kind == b"P":
            name, sql, _ = body.split(b"\0", 2)
            self._statements[name] = sql.decode()
        if kind == b"B":
            _, name, _ = body.split(b"\0", 2)
            self._done.append(self._statements.get(name, ""))
            return self._done[-1]
        return ""

    def _simple(self, sql: str) -> str:
        if sql.startswith("BEGIN"):
            self._done.clear()
        if sql.startswith("COMMIT"):
            return f"COMMIT after {' '.join(self._done)}"
        return sql


@dataclass
class KafkaEar:
    """A request says its kind and who asks: `0 habeas-intake-relay`; answers are known by their number."""

    who: str = ""
    _asked: bytes = b""
    _answered: bytes = b""

    def forth(self, data: bytes) -> list[Spoken]:
        frames, self._asked = _frames(self._asked + data)
        requests = [_request(frame) for frame in frames]
        self.who = next((said.partition(" ")[2] for said, _ in requests), self.who)
        return [(frame, *request) for frame, request in zip(frames, requests, strict=True)]

    def back(self, data: bytes) -> list[tuple[bytes, object]]:
        frames, self._answered = _frames(self._answered + data)
        return [(frame, struct.unpack_from(">i", frame, 4)[0]) for frame in frames]


def commit_of(table: str) -> "Hears":
    """A commit whose transaction wrote to this table."""
    return Hears("COMMIT after", table)


def produced_by(service: str) -> "Hears":
    """A produce request of a service's relay."""
    return Hears(f"{PRODUCE} habeas-{service}-relay")


def refused(code: int) -> Callable[[bytes], bytes]:
    """Turns a broker's answer to a produce request into this error for the first partition that it names."""

    def alter(frame: bytes) -> bytes:
        (name,) = struct.unpack_from(">h", frame, 12)
        at = 12 + 2 + name + 4 + 4
        return frame[:at] + struct.pack(">h", code) + frame[at + 2 :]

    return alter


@dataclass(frozen=True)
class Hears:
    """All of these words."""

    first: str
    second: str = ""

    def __call__(self, said: str) -> bool:
        return said.startswith(self.first) and self.second in said


def _frames(data: bytes) -> tuple[list[bytes], bytes]:
    frames = []
    while len(data) >= 4:
        (length,) = struct.unpack_from(">i", data)
        if len(data) < 4 + length:
            break
        frames.append(data[: 4 + length])
        data = data[4 + length :]
    return frames, data


def _request(frame: bytes) -> tuple[str, object]:
    kind, _version, number, length = struct.unpack_from(">hhih", frame, 4)
    client = frame[14 : 14 + max(0, length)].decode("ascii", "replace")
    return f"{kind} {client}", number
