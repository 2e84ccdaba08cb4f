"""Handing a letter to a mail server, once: what its answer means, never in its words, which quote addresses."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPConnectTimeoutError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import Ambiguous, NeedsPerson, Retry
from services.fulfillment.reached import not_reached

Meaning: TypeAlias = Literal["away", "unknown", "credentials", "refused"]
_FOR_GOOD = 500
_UNREADABLE = (
    "the address cannot be read: write what is none of A-Z, a-z, 0-9 in its user or password as %XX, / as %2F"
)
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class NotPostedError(Exception):
    """A letter that the server did not take, or perhaps did."""

    def __init__(self, meaning: Meaning, reason: str) -> None:
        super().__init__(reason)
        self.meaning: Meaning = meaning
        self.reason = reason

    def outcome(self, retry_after: timedelta) -> Retry | NeedsPerson | Ambiguous:
        """What it means for what was asked."""
        match self.meaning:
            case "away":
                return Retry(retry_after, self.reason)
            case "unknown":
                return Ambiguous(self.reason)
        return NeedsPerson(self.meaning, self.reason)


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """Where letters are handed in."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Post:
    """One letter on its way."""

    server: Server
    sender: str
    to: str
    content: bytes


def read_address(address: str, *, private: bool) -> Server:
    """The mail server of `smtps://user:password@host` or `smtp+starttls://…`; `smtp://` here, or for sealed letters.

    Raises:
        NotPostedError: it is none, or would tell who people are in clear.
    """
    try:
        parts, port = urlsplit(address), urlsplit(address).port
    except ValueError:
        # The reason would quote it: a slash in a password makes the rest of it a port.
        raise NotPostedError("credentials", _UNREADABLE) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise NotPostedError("credentials", "the address is none of smtps://, smtp+starttls:// and smtp://")
    if parts.scheme == "smtp" and not private and not _is_here(parts.hostname):
        raise NotPostedError(
            "credentials", "smtp:// without a certificate would tell in clear who people are"
        )
    user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
    return Server(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], user, password)


async def post(letter: Post, limits: Limits) -> None:
    """Hand it in.

    Raises:
        NotPostedError: the meaning says what may be believed.
    """
    server = letter.server
    try:
        await aiosmtplib.send(
            letter.content, sender=letter.sender, recipients=[letter.to], hostname=server.host, port=server.port,
            username=server.user, password=server.password, use_tls=server.scheme == "smtps",
            start_tls=server.scheme == "smtp+starttls", timeout=limits.statement_seconds,
        )  # fmt: skip
    except (SMTPException, OSError) as error:
        raise _not_posted(error) from None


async def knock(server: Server, limits: Limits) -> None:
    """Let the server let us in, and go: no letter is handed in.

    Raises:
        NotPostedError: it is away, or the user or the password is wrong.
    """
    try:
        async with aiosmtplib.SMTP(
            hostname=server.host, port=server.port, username=server.user, password=server.password,
            use_tls=server.scheme == "smtps", start_tls=server.scheme == "smtp+starttls",
            timeout=limits.connect_seconds,
        ):  # fmt: skip
            pass
    except (SMTPException, OSError) as error:
        raise _not_posted(error) from None


def _not_posted(error: Exception) -> NotPostedError:
    meaning = _meaning(error)
    if meaning == "away" and not isinstance(error, SMTPResponseException | SMTPRecipientsRefused):
        return NotPostedError(meaning, not_reached("the mail server", error))
    said = " the user or the password is wrong:" if meaning == "credentials" else ""
    return NotPostedError(meaning, f"the mail server:{said} {type(error).__name__}")


def _meaning(error: Exception) -> Meaning:
    if isinstance(error, SMTPConnectError | SMTPConnectTimeoutError | ConnectionRefusedError):
        return "away"
    if isinstance(error, SMTPAuthenticationError):
        return "credentials"
    if isinstance(error, SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, SMTPResponseException):
        return "refused" if error.code >= _FOR_GOOD else "away"
    return "unknown"


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
