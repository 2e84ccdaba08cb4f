"""The mail that requesters get, as the catcher of the embedded stack keeps it."""

import email
import re
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import UUID

from tests.support.eventually import eventually_async

CODE = re.compile(r"^ {4}(\d{8})$", re.MULTILINE)
ACCESS_KEY = re.compile(r"^ {4}(\S{20,})$", re.MULTILINE)
KINDS = {
    "acknowledgement": "We received your privacy request",
    "verification_code": "Your verification code",
    "extension": "We need more time",
    "answer": "Our answer to your privacy request",
    "withdrawal": "Your privacy request is withdrawn",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it arrived."""

    message_id: str
    to: str
    subject: str
    text: str

    @property
    def code(self) -> str:
        return str(CODE.findall(self.text)[0])

    @property
    def access_key(self) -> str:
        return next(str(key) for key in ACCESS_KEY.findall(self.text) if not CODE.match(f"    {key}"))


@dataclass
class Mailbox:
    """Every mail in a folder; a file is read once."""

    folder: Path
    _read: dict[Path, Mail] = field(default_factory=dict)

    def about(self, request_id: UUID) -> list[Mail]:
        """Whatever was sent about a request, in the order in which it came."""
        self._look()
        return [mail for _, mail in sorted(self._read.items()) if str(request_id) in mail.text]

    async def wait(self, request_id: UUID, kind: str, *, within: float = 60) -> Mail:
        """The first mail of a kind about a request, once it is there."""

        async def look() -> list[Mail]:
            return [mail for mail in self.about(request_id) if mail.subject.startswith(KINDS[kind])]

        return (await eventually_async(look, within=within))[0]

    def _look(self) -> None:
        for file in self.folder.glob("*.eml"):
            if file not in self._read:
                self._read[file] = _mail(email.message_from_bytes(file.read_bytes(), policy=default))


def _mail(message: EmailMessage) -> Mail:
    body = message.get_body(("plain",))
    text = body.get_content().replace("\r\n", "\n") if body is not None else ""
    return Mail(str(message["Message-ID"]), str(message["To"]), str(message["Subject"]), text)
