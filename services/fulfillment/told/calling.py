"""One call over HTTP: to one origin over TLS, bounded in time and size, its failures told by kind alone."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

import httpx2

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import Ambiguous, NeedsPerson, Retry
from services.fulfillment.reached import not_reached
from services.fulfillment.told.authorities import trusted

UNREADABLE = "the address cannot be read; write https://HOST/PATH"
LARGEST = 1_000_000
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_BUSY = frozenset({408, 425, 429})
_DENIED = frozenset({401, 403})
_SERVER_FAULT = 500


class NotWell(Exception):
    """A call that did not go well."""

    def __init__(
        self, meaning: Literal["away", "unknown", "credentials", "refused", "absent"], reason: str
    ) -> None:
        super().__init__(reason)
        self.meaning: Literal["away", "unknown", "credentials", "refused", "absent"] = meaning
        self.reason = reason

    def outcome(self, retry_after: timedelta) -> Retry | NeedsPerson | Ambiguous:
        """What it means for what was asked."""
        match self.meaning:
            case "away":
                return Retry(retry_after, self.reason)
            case "unknown":
                return Ambiguous(self.reason)
            case "credentials":
                return NeedsPerson("credentials", self.reason)
        return NeedsPerson("refused", self.reason)


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """An answer that was well, in the bytes in which it came."""

    status: int
    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """What is asked."""

    method: Literal["GET", "POST"]
    address: str
    headers: Mapping[str, str]
    body: bytes = b""


async def call(asked: Call, limits: Limits, *, most: int = LARGEST) -> Said:
    """Ask, once; an answer is read no further than `most` bytes, and no longer than a statement may take.

    Raises:
        NotWell: the meaning says what may be believed about its effect.
    """
    refuse_unsafe(asked.address)
    try:
        async with asyncio.timeout(limits.statement_seconds):
            said = await _asked(asked, limits, most)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
        raise _unanswered(error, changes=asked.method == "POST") from None
    if len(said.raw) > most:
        raise NotWell("refused", f"the answer is larger than the {most} bytes that are meant for us")
    _judge(said.status, asked.method)
    return said


def _unanswered(error: Exception, *, changes: bool) -> NotWell:
    if changes and not isinstance(error, _NOTHING_SENT):
        return NotWell("unknown", f"no answer to what was sent ({type(error).__name__})")
    return NotWell("away", not_reached("the system", error))


async def _asked(asked: Call, limits: Limits, most: int) -> Said:
    timeout = httpx2.Timeout(limits.statement_seconds, connect=limits.connect_seconds)
    raw = bytearray()
    async with (
        httpx2.AsyncClient(timeout=timeout, verify=trusted(), follow_redirects=False) as http,
        http.stream(asked.method, asked.address, headers=_plain(asked.headers), content=asked.body) as answer,
    ):
        async for chunk in answer.aiter_bytes():
            raw += chunk
            if len(raw) > most:
                break
        return Said(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, bytes(raw))


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    """Nothing is packed on the way: what is read is as large as what came."""
    return {"Accept-Encoding": "identity", **headers}


def _judge(status: int, method: str) -> None:
    if httpx2.codes.is_success(status):
        return
    if status in _DENIED:
        raise NotWell(
            "credentials", f"we are not let in ({status}): renew the secret, or give our account this right"
        )
    if status in _BUSY:
        raise NotWell("away", f"the system is busy ({status})")
    if status >= _SERVER_FAULT:
        raise NotWell("unknown" if method == "POST" else "away", f"the system failed ({status})")
    raise NotWell("absent" if status in {404, 410} else "refused", f"the system refused ({status})")


def refuse_unsafe(address: str) -> None:
    """Identities leave this machine under TLS alone.

    Raises:
        NotWell: the address is not that of HTTPS, and not of this machine, or cannot be read.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        raise NotWell("credentials", UNREADABLE) from None
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname or "")):
        raise NotWell("credentials", "the address must be https://, for it is told who people are")
    if not parts.hostname:
        raise NotWell("credentials", UNREADABLE)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
