"""What goes wrong between us and MongoDB: told by code and kind, never in the server's words, which quote values."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo import errors

from services.fulfillment.rowwise.store import Meaning, StoreFailure

_DENIED = frozenset({13, 18, 33, 8000})
_BUSY = frozenset({50, 112, 262, 290})
_CREDENTIALS = (errors.ConfigurationError, errors.InvalidURI, ValueError)


@contextmanager
def told(where: str, *, changes: bool = False) -> Iterator[None]:
    """Turn the client's errors into ours.

    Raises:
        StoreFailure: something did not go well.
    """
    try:
        yield
    except (errors.PyMongoError, OSError, ValueError) as error:
        raise StoreFailure(_meaning(error, changes=changes), f"{where}: {_kind(error)}") from None


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
