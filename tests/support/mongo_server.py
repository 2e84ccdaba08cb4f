"""A server that speaks MongoDB's protocol, in a process of its own: mongo-java-server, a double that others maintain.

It always takes port 27017 of `localhost`, so each gets an address of its own on the loopback. It says that it is older
than what the client still talks to, though it does all that we ask: the gate before it says 13 (MongoDB 5.0) instead.
The gate also refuses deletions where a test wants it, in words that quote a person, as a server's rule might.
"""

import asyncio
import secrets
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import bson

from deploy.local import jars, java
from tests.support.eventually import eventually
from tests.support.shop import EMAIL

LOCK = Path(__file__).with_name("mongo-jars.lock")
PORT = 27017
_SAYS, _SAID_INSTEAD = (b"maxWireVersion\x00" + struct.pack("<i", version) for version in (8, 13))
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx96m")


@contextmanager
def mongo_server(home: Path) -> Iterator[str]:
    """Start one, give its address on the loopback, and end it."""
    address = f"127.{secrets.randbelow(250) + 2}.{secrets.randbelow(250) + 2}.2"
    (home / "hosts").write_text(f"{address} localhost\n")
    classes = f"{jars.folder(lambda _sentence: None, LOCK)}/*"
    flags = [*_QUICK, f"-Djdk.net.hosts.file={home / 'hosts'}", "-cp", classes]
    command = [str(java.find()), *flags, "de.bwaldvogel.mongo.InMemoryMongoServer"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        try:
            eventually(lambda: _answers(address), within=90)
            yield address
        finally:
            process.terminate()


@dataclass
class MongoGate:
    """Stands before the server."""

    server: str
    port: int = 0
    refused: set[str] = field(default_factory=set)
    _serving: asyncio.Server | None = None

    async def open(self) -> None:
        self._serving = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._serving.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._serving is not None:
            self._serving.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, server = await asyncio.open_connection(self.server, PORT)
        try:
            await asyncio.gather(self._forth(reader, server, writer), self._back(behind, writer))
        except ConnectionError:
            pass
        finally:
            writer.close()
            server.close()

    async def _forth(
        self, reader: asyncio.StreamReader, server: asyncio.StreamWriter, writer: asyncio.StreamWriter
    ) -> None:
        while message := await _message(reader):
            if self._refuses(message):
                writer.write(_refusal(message))
            else:
                server.write(message)
        server.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while message := await _message(reader):
            writer.write(message.replace(_SAYS, _SAID_INSTEAD))
        writer.close()

    def _refuses(self, message: bytes) -> bool:
        names = (b"\x02delete\x00" + struct.pack("<i", len(n) + 1) + n.encode() + b"\0" for n in self.refused)
        return any(name in message for name in names)


async def _message(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readexactly(4)
        return head + await reader.readexactly(struct.unpack("<i", head)[0] - 4)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _refusal(asked: bytes) -> bytes:
    """An answer to it: a write error in words that quote the person."""
    request = struct.unpack_from("<i", asked, 4)[0]
    error = {"index": 0, "code": 121, "errmsg": f"cannot delete {EMAIL}"}
    body = b"\0\0\0\0\0" + bson.encode({"ok": 1.0, "n": 0, "writeErrors": [error]})
    return struct.pack("<iiii", 16 + len(body), 1, request, 2013) + body


def _answers(address: str) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex((address, PORT)) == 0
