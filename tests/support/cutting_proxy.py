"""A TCP proxy before a server, which cuts a client's connection when it says a given word."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

When = Literal["before", "after"]


@dataclass
class CuttingProxy:
    """Armed by `cut_at`: the connection dies before the server hears the word, or after its answer."""

    server: tuple[str, int]
    port: int = 0
    cuts: int = 0
    _word: bytes = b""
    _when: When = "before"
    _muted: bool = False
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def cut_at(self, word: bytes, when: When) -> None:
        self._word, self._when, self._muted = word, when, False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self.server)
        self._writers += [writer, inner_writer]
        await asyncio.gather(self._forth(reader, inner_writer), self._back(inner_reader, writer))

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _forth(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            if self._word and self._word in data:
                self.cuts += 1
                self._word = b""
                if self._when == "before":
                    return self.close()
                self._muted = True
            server.write(data)
        return server.close()

    async def _back(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            if self._muted:
                self._muted = False
                return self.close()
            client.write(data)
        return client.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(65536)
    except ConnectionError:
        return b""


@asynccontextmanager
async def cutting_proxy(host: str, port: int) -> AsyncIterator[CuttingProxy]:
    proxy = CuttingProxy((host, port))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.close()
        server.close()
