"""A TCP proxy that can be switched off: its clients are cut and refused until it is switched on again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class SwitchProxy:
    """One port before one server."""

    def __init__(self, host: str, port: int, own_port: int = 0) -> None:
        self._target = (host, port)
        self.port = own_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def on(self) -> None:
        """Let clients through."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def off(self) -> None:
        """Cut everybody, and refuse whoever comes."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, to_there = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, to_there}
        try:
            await asyncio.gather(_copy(reader, to_there), _copy(there, writer))
        finally:
            self._writers -= {writer, to_there}


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def switch_proxy(host: str, port: int, *, own_port: int = 0) -> AsyncIterator[SwitchProxy]:
    """A proxy that is on, until the end of the block."""
    proxy = SwitchProxy(host, port, own_port)
    await proxy.on()
    try:
        yield proxy
    finally:
        await proxy.off()
