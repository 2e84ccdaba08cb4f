"""A mail server that answers as the test says: the real protocol over a real socket, on this machine only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

ORDINARY = {
    "EHLO": "250-mail.test\r\n250 SMTPUTF8",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 taken",
    "QUIT": "221 bye",
}


@dataclass
class ScriptedMail:
    """`answers` replaces ordinary answers by command; "hang up" and "say nothing" are answers too."""

    answers: dict[str, str] = field(default_factory=dict)
    port: int = 0
    taken: list[str] = field(default_factory=list)
    silence: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._converse(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._answer("CONNECT", "220 mail.test", writer):
            return
        while line := (await reader.readline()).decode().strip():
            command = line.split(" ", 1)[0].upper()
            if not await self._answer(command, ORDINARY.get(command, "502 what?"), writer):
                return
            if command == "DATA" and "DATA" not in self.answers:
                text = (await reader.readuntil(b"\r\n.\r\n")).decode()
                if not await self._answer(".", ORDINARY["."], writer):
                    return
                if "." not in self.answers:
                    self.taken.append(text.removesuffix(".\r\n"))

    async def _answer(self, command: str, ordinary: str, writer: asyncio.StreamWriter) -> bool:
        answer = self.answers.get(command, ordinary)
        if answer == "say nothing":
            await self.silence.wait()
        if answer in {"hang up", "say nothing"}:
            return False
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()
        return True


@asynccontextmanager
async def scripted_mail(**answers: str) -> AsyncIterator[ScriptedMail]:
    """A running one; `dot` stands for the end of the message."""
    named = {"." if name == "dot" else name.upper(): text for name, text in answers.items()}
    mail = ScriptedMail(named)
    server = await asyncio.start_server(mail.serve, "127.0.0.1", 0)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        mail.silence.set()
        server.close()
        await server.wait_closed()
