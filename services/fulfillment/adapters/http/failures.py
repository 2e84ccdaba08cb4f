"""What goes wrong between us and a system over HTTP, told by status and kind and never by the answer's text."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx2

from services.fulfillment.adapters.http.connector import Meaning as Stated
from services.fulfillment.ports import NeedsPerson, Retry
from services.fulfillment.reached import not_reached

Meaning = Literal["away", "busy", "absent", "unknown", "credentials", "schema", "refused", "unbounded"]

LONGEST_WAIT = timedelta(hours=24)

_NOTHING_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_BUSY = frozenset({408, 409, 423, 425, 429})
_DENIED = frozenset({401, 403, 407})
_GONE = frozenset({404, 410})
_SERVER_FAULT = 500

NOT_JSON = "the answer is not JSON, as a page to sign in is not: look at url"
# What time alone does not mend, and what does.
_REMEDIES: Mapping[str, str] = {
    "credentials": "renew the secret that the system's file names, or give its account this right",
    "absent": "nothing is there: look at url and settings",
    "schema": "that is not what its connector expects there: look at url and settings",
    "refused": "it does not take what it was asked: look at settings, and whether its interface has changed",
}


class Failure(Exception):
    """An expected end of a request; `unknown` means that it was sent and that its effect is not known."""

    def __init__(self, meaning: Meaning, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.meaning: Meaning = meaning
        self.reason = reason
        self.after = after

    def outcome(self, retry_after: timedelta) -> Retry | NeedsPerson:
        """The answer where nothing was done."""
        match self.meaning:
            case "away" | "busy" | "unknown":
                return Retry(self.after or retry_after, self.reason)
            case "absent":
                return NeedsPerson("schema", self.reason)
        return NeedsPerson(self.meaning, self.reason)


def of_transport(error: Exception, *, where: str, changes: bool) -> Failure:
    """What a connection that broke means: before anything was sent, or who knows when."""
    kind = type(error).__name__
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return Failure("credentials", f"{where}: the address is not one of HTTP ({kind})")
    if changes and not isinstance(error, _NOTHING_SENT):
        return Failure("unknown", f"{where}: no answer to what was sent ({kind})")
    return Failure("away", f"{where}: {not_reached('the system', error)}")


def answered(status: int, meaning: Meaning) -> str:
    """The status, and where it is a person's, what to do about it."""
    remedy = _REMEDIES.get(meaning)
    return f"the system answered {status}{f'; {remedy}' if remedy else ''}"


def of_status(status: int, stated: Mapping[int, Stated], *, changes: bool) -> Meaning | None:
    """What a status means, the connector's word first; None where all is well."""
    if status in stated:
        word = stated[status]
        return None if word == "done" else word
    if status in _DENIED:
        return "credentials"
    if status in _GONE:
        return "absent"
    if status in _BUSY:
        return "busy"
    if status >= _SERVER_FAULT:
        return "unknown" if changes else "away"
    return _ordinary(status)


def _ordinary(status: int) -> Meaning | None:
    """Anything else: well, moved elsewhere (which is not followed), or our own mistake."""
    if httpx2.codes.is_success(status):
        return None
    return "schema" if httpx2.codes.is_redirect(status) else "refused"


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """`Retry-After` in seconds or as a date (RFC 9110, 10.2.3); nonsense is no answer, and nobody waits for ever."""
    said = headers.get("retry-after", "").strip()
    if said.isdigit():
        return min(timedelta(seconds=max(1, int(said[:9]))), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return min(max(at - now, timedelta(seconds=1)), LONGEST_WAIT)
