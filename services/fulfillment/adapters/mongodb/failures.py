"""What goes wrong between us and MongoDB: told by code and kind, never in the server's words, which quote values."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from socket import gaierror

from pymongo import errors

from services.fulfillment.reached import not_reached, why_not_reached
from services.fulfillment.rowwise.store import Meaning, StoreFailure

ADDRESS = "that names a database, such as mongodb://role:password@host:27017/shop"
"""What is asked for where the secret holds none."""

_DENIED = frozenset({13, 18, 33, 8000})
_BUSY = frozenset({50, 112, 262, 290})
_CREDENTIALS = (errors.ConfigurationError, errors.InvalidURI, ValueError)

_ERRNO = re.compile(r"\[Errno (-?\d+)\]")
# The client drops the errors that led to its own: their kinds are left in its texts alone.
_TEXTS = (
    ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate is not one that is trusted here"),
    ("SSL handshake failed", "TLS could not be agreed on"),
    ("onnection is closed", "the connection was broken off; perhaps it asks for TLS, or is no MongoDB"),
    ("onnection closed", "the connection was broken off; perhaps it asks for TLS, or is no MongoDB"),
    ("No replica set members match", "its replica set has no primary now"),
    ("timed out", "it gave no answer in time"),
    ("No servers found yet", "it gave no answer in time"),
)
_OF_CODE = {
    13: "the user may not do this",
    18: "the user or the password is wrong",
    8000: "the user or the password is wrong",
}


@contextmanager
def told(where: str, *, changes: bool = False) -> Iterator[None]:
    """Turn the client's errors into ours.

    Raises:
        StoreFailure: something did not go well.
    """
    try:
        yield
    except (errors.PyMongoError, OSError, ValueError) as error:
        meaning = _meaning(error, changes=changes)
        raise StoreFailure(meaning, f"{where}: {_words(meaning, error)}") from None


def _words(meaning: Meaning, error: Exception) -> str:
    """Why, in our own words; the kind and the code alone where there are none."""
    if meaning == "away":
        return not_reached("MongoDB", error, cause=_cause(str(error)))
    said = _OF_CODE.get(getattr(error, "code", None) or 0)
    return f"{said}: {_kind(error)}" if said else _kind(error)


def _cause(text: str) -> str | None:
    """What is in the way, by the number of the system's error in the client's text, else by its own words."""
    if number := _ERRNO.search(text):
        code = int(number[1])
        return why_not_reached(OSError(code, "") if code > 0 else gaierror(code))
    return next((words for part, words in _TEXTS if part in text), None)


def _meaning(error: Exception, *, changes: bool) -> Meaning:
    if isinstance(error, errors.ServerSelectionTimeoutError):
        return "away"
    if isinstance(error, _CREDENTIALS):
        return "credentials"
    if isinstance(error, errors.ConnectionFailure | errors.WTimeoutError | OSError):
        return "unknown" if changes else "away"
    return _of_code(error, changes=changes)


def _of_code(error: Exception, *, changes: bool) -> Meaning:
    code = getattr(error, "code", None)
    if isinstance(error, errors.BulkWriteError):
        details = error.details or {}
        if details.get("nRemoved") or details.get("nModified"):
            return "unknown"
        code = next((each.get("code") for each in details.get("writeErrors", ())), None)
    if code in _DENIED:
        return "credentials"
    if code in _BUSY or getattr(error, "timeout", False):
        return "unknown" if changes else "busy"
    return "refused"


def _kind(error: Exception) -> str:
    code = getattr(error, "code", None)
    return type(error).__name__ + (f" (code {code})" if isinstance(code, int) else "")
