"""The mail catcher: accepts every message over SMTP and keeps it as one .eml file; it sends nothing on.

Run as `python -m deploy.local.mail --port PORT --folder FOLDER`. A file is named after the time it came and a
hash of its Message-ID, so messages with the same Message-ID stay apart and can be told to be the same.
"""

import argparse
import asyncio
import hashlib
import os
import signal
import time
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_BYTES = 35_000_000


class Catcher:
    """The aiosmtpd handler."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Answer 250 only when the message is on disk."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        keep(self._folder, content, envelope.mail_from or "", envelope.rcpt_tos, time.time_ns())
        return "250 OK"


def keep(folder: Path, content: bytes, sender: str, recipients: list[str], now_ns: int) -> Path:
    """Write one message; the file appears whole or not at all."""
    head = f"Return-Path: <{sender}>\r\n" + "".join(f"Delivered-To: {to}\r\n" for to in recipients)
    part = folder / f".{os.getpid()}-{now_ns}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(head.encode() + content)
        file.flush()
        os.fsync(file.fileno())
    path = _free(folder, file_name(content, now_ns))
    part.replace(path)
    return path


def file_name(content: bytes, now_ns: int) -> str:
    """Time in UTC to the microsecond, then the first twelve digits of the Message-ID's SHA-256."""
    message_id = str(message_from_bytes(content, policy=policy.compat32).get("Message-ID", "")).strip()
    seconds, rest = divmod(now_ns, 1_000_000_000)
    instant = time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))
    return f"{instant}.{rest // 1000:06}Z-{hashlib.sha256(message_id.encode()).hexdigest()[:12]}.eml"


def _free(folder: Path, name: str) -> Path:
    path, copy = folder / name, 1
    while path.exists():
        copy += 1
        path = folder / f"{name.removesuffix('.eml')}-{copy}.eml"
    return path


async def serve(port: int, folder: Path) -> None:
    """Until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, ended.set)

    def connection() -> SMTP:
        return SMTP(
            Catcher(folder), data_size_limit=LARGEST_BYTES, enable_SMTPUTF8=True, hostname="localhost"
        )

    async with await loop.create_server(connection, "127.0.0.1", port):
        await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep every mail as a file; send nothing on.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.port, chosen.folder))


if __name__ == "__main__":
    main()
