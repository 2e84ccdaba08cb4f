"""What goes wrong between us and Redis: told by kind, and never in the server's words, which quote keys."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from services.fulfillment.rowwise.store import Meaning, StoreFailure

_AWAY = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)
_BUSY = (exceptions.BusyLoadingError, exceptions.WatchError, exceptions.OutOfMemoryError)
_CREDENTIALS = (exceptions.AuthenticationError, exceptions.AuthorizationError, ValueError)


@contextmanager
def told(where: str, *, changes: bool = False) -> Iterator[None]:
    """Turn the client's errors into ours.

    Raises:
        StoreFailure: something did not go well.
    """
    try:
        yield
    except (exceptions.RedisError, OSError, ValueError) as error:
        raise StoreFailure(_meaning(error, changes=changes), f"{where}: {type(error).__name__}") from None


def _meaning(error: Exception, *, changes: bool) -> Meaning:
    if isinstance(error, _BUSY):
        return "busy"
    if isinstance(error, _CREDENTIALS):
        return "credentials"
    if isinstance(error, exceptions.ReadOnlyError):
        return "away"
    if isinstance(error, _AWAY):
        return "unknown" if changes else "away"
    if isinstance(error, exceptions.NoPermissionError) and not changes:
        return "credentials"
    return "refused"
