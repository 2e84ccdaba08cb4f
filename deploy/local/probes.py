"""True readiness: a SQL query that is answered, Kafka metadata that names its brokers and a controller."""

import asyncio
import smtplib
import socket
import struct
from urllib.parse import urlsplit

from deploy.local.errors import StackError
from deploy.local.ports import LOOPBACK

SECONDS = 3.0
_SMTP_OK = 250
_METADATA, _VERSION, _CORRELATION, _NO_TOPICS = 3, 1, 1, 0


def postgres_answers(url: str) -> bool:
    """Whether a SQL query is answered; a refused password is an error and no reason to wait."""
    import asyncpg

    try:
        return asyncio.run(_select_one(url))
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return False
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as refusal:
        raise StackError(
            f"PostgreSQL refused the connection ({refusal}); check its address and password."
        ) from refusal


async def _select_one(url: str) -> bool:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=SECONDS)
    try:
        return bool(await connection.fetchval("SELECT 1") == 1)
    finally:
        await connection.close(timeout=SECONDS)


def kafka_answers(port: int, brokers: int = 1) -> bool:
    """Whether the broker names a controller and as many live brokers as there should be."""
    try:
        answer = _ask_kafka(port)
        return _live_brokers(answer) >= brokers
    except (OSError, struct.error):
        return False


def _ask_kafka(port: int) -> bytes:
    body = struct.pack(">hhih6si", _METADATA, _VERSION, _CORRELATION, 6, b"habeas", _NO_TOPICS)
    with socket.create_connection((LOOPBACK, port), timeout=SECONDS) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        stream = connection.makefile("rb")
        (size,) = struct.unpack(">i", stream.read(4))
        return stream.read(size)


def _live_brokers(answer: bytes) -> int:
    """Read a Metadata v1 response: correlation id, brokers (id, host, port, rack), controller id."""
    _, count = struct.unpack_from(">ii", answer, 0)
    at = 8
    for _ in range(count):
        at = _after_text(answer, at + 4)  # node id, host
        at = _after_text(answer, at + 4)  # port, rack
    (controller,) = struct.unpack_from(">i", answer, at)
    return int(count) if controller >= 0 else 0


def _after_text(answer: bytes, at: int) -> int:
    (length,) = struct.unpack_from(">h", answer, at)
    return at + 2 + max(int(length), 0)


def smtp_answers(port: int) -> bool:
    try:
        with smtplib.SMTP(LOOPBACK, port, timeout=SECONDS) as connection:
            return connection.noop()[0] == _SMTP_OK
    except (OSError, smtplib.SMTPException):
        return False


def listens(address: str) -> bool:
    """Whether anything accepts a connection at `host:port` (the first of a list)."""
    parts = urlsplit("//" + address.partition(",")[0].strip())
    if parts.hostname is None:
        return False
    try:
        socket.create_connection((parts.hostname, parts.port or 9092), timeout=SECONDS).close()
    except (OSError, ValueError):
        return False
    return True
