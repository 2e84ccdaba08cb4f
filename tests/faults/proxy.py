"""A TCP proxy before a server of ours that does what networks do: cut, delay, half-open, lose an answer.

A trap waits for a certain statement or request: `before` it reaches the server, or `after` the server has answered
and before the client hears of it. What happens then is the trap's: cut, or hold the connection until it is let go.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bench.pace import pause

Spoken = tuple[bytes, str, object]
"""Bytes to pass on, what they say, and by what their answer is known."""


class Ear(Protocol):
    """Understands one connection's protocol as far as traps need it; `who` is the client's name for itself, if any."""

    who: str

    def forth(self, data: bytes) -> list[Spoken]:
        """What the client says."""
        ...

    def back(self, data: bytes) -> list[tuple[bytes, object]]:
        """What the server answers, and to what."""
        ...


@dataclass(slots=True)
class Trap:
    """Springs `times` times at what `hears` picks; `act` runs at that moment, then the connection is cut or goes on.

    `alters` makes another answer of the server's own, where the connection goes on after it.
    """

    hears: Callable[[str], bool]
    when: Literal["before", "after"]
    times: int = 1
    act: Callable[[], Awaitable[object]] | None = None
    then: Literal["cut", "deliver"] = "cut"
    alters: Callable[[bytes], bytes] = bytes
    sprung: int = 0
    _sprang: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, said: str, when: str) -> bool:
        """Whether this is one for the trap; it counts at once, or several on their way would be taken for one."""
        if self.times <= 0 or self.when != when or not self.hears(said):
            return False
        self.times -= 1
        return True

    async def spring(self) -> None:
        self.sprung += 1
        self._sprang.set()
        if self.act is not None:
            await self.act()

    async def until_sprung(self, *, within: float = 60) -> None:
        async with asyncio.timeout(within):
            await self._sprang.wait()


@dataclass(eq=False, slots=True)
class Link:
    """One client's connection; `waiting` are traps whose request has gone out and whose answer has not come."""

    ear: Ear
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    waiting: list[tuple[object, Trap]] = field(default_factory=list)

    def cut(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


class FaultProxy:
    """One port before one server; `noted` is told of each fault that its traps inject.

    `overhears` is told of everything that the server answers, and to whom.
    """

    def __init__(
        self, target: tuple[str, int], ear: Callable[[], Ear], *, port: int = 0, comes_from: str | None = None
    ) -> None:
        self._target = target
        self._ear = ear
        self.port = port
        self._comes_from = (comes_from, 0) if comes_from else None
        self.delay: tuple[float, float] | None = None
        self.noted: Callable[[], None] = lambda: None
        self.overhears: Callable[[str, bytes], None] = lambda _who, _answer: None
        self._traps: list[Trap] = []
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._random = random.Random(7)  # noqa: S311 - which packet waits how long is no secret
        self._open.set()

    async def on(self) -> None:
        """Let clients in; one that does so already stays as it is."""
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def off(self) -> None:
        """Cut everybody, and refuse whoever comes."""
        if self._server is not None:
            self._server.close()
        self._server = None
        self.cut()

    def cut(self, number: int | None = None) -> int:
        """Cut connections, some of them or all; how many."""
        links = list(self._links)
        chosen = links if number is None else self._random.sample(links, min(number, len(links)))
        for link in chosen:
            link.cut()
        return len(chosen)

    def freeze(self) -> None:
        """Half-open: connections stand, and new ones are taken, but not a byte passes in either direction."""
        self._open.clear()

    def thaw(self) -> None:
        """Let bytes pass again; what was held goes out late."""
        self._open.set()

    def heal(self) -> None:
        """No more faults: nothing is delayed, frozen or trapped."""
        self.delay = None
        self._traps.clear()
        self.thaw()

    def trap(self, trap: Trap) -> Trap:
        self._traps.append(trap)
        return trap

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to_there = await asyncio.open_connection(*self._target, local_addr=self._comes_from)
        except OSError:
            writer.transport.abort()
            return
        link = Link(self._ear(), writer, to_there)
        self._links.add(link)
        try:
            await asyncio.gather(self._forth(link, reader), self._back(link, there))
        finally:
            link.cut()
            self._links.discard(link)

    async def _forth(self, link: Link, reader: asyncio.StreamReader) -> None:
        async for data in self._flow(reader, link):
            for part, said, ticket in link.ear.forth(data):
                before = self._sprung(said, "before")
                if before is not None:
                    await before.spring()
                    if before.then == "cut":
                        link.cut()
                        return
                after = self._sprung(said, "after")
                if after is not None:
                    link.waiting.append((ticket, after))
                link.server.write(part)

    async def _back(self, link: Link, reader: asyncio.StreamReader) -> None:
        async for data in self._flow(reader, link):
            for part, ticket in link.ear.back(data):
                self.overhears(link.ear.who, part)
                trap = _taken(link, ticket)
                if trap is not None:
                    await trap.spring()
                    if trap.then == "cut":
                        link.cut()
                        return
                    part = trap.alters(part)  # noqa: PLW2901 - what is written is another answer
                link.client.write(part)

    async def _flow(self, reader: asyncio.StreamReader, link: Link) -> AsyncIterator[bytes]:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await self._open.wait()
                if self.delay is not None:
                    await pause(self._random.uniform(*self.delay))
                yield data
        link.cut()

    def _sprung(self, said: str, when: str) -> Trap | None:
        if not said or not self._traps:
            return None
        found = next((trap for trap in self._traps if trap.takes(said, when)), None)
        if found is not None:
            self.noted()
        return found


def _taken(link: Link, ticket: object) -> Trap | None:
    for index, (wanted, trap) in enumerate(link.waiting):
        if wanted == ticket:
            del link.waiting[index]
            return trap
    return None


@asynccontextmanager
async def fault_proxies(*proxies: FaultProxy) -> AsyncIterator[Sequence[FaultProxy]]:
    """All on, until the end of the block."""
    for proxy in proxies:
        await proxy.on()
    try:
        yield proxies
    finally:
        for proxy in proxies:
            proxy.heal()
            await proxy.off()
