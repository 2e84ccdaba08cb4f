"""What goes wrong between us and Redis: told by kind, and never in the server's words, which quote keys."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from services.fulfillment.reached import not_reached
from services.fulfillment.rowwise.store import Meaning, StoreFailure

ADDRESS = "such as rediss://role:password@host:6379/0"
"""What is asked for where the secret holds none."""

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
        meaning = _meaning(error, changes=changes)
        raise StoreFailure(meaning, f"{where}: {_words(meaning, error)}") from None


def _words(meaning: Meaning, error: Exception) -> str:
    """Why, in our own words; the kind alone where there are none."""
    kind = type(error).__name__
    if meaning == "away" and not isinstance(error, exceptions.ReadOnlyError):
        return not_reached("Redis", error)
    if isinstance(error, exceptions.AuthenticationError):
        return f"the user or the password is wrong ({kind})"
    if isinstance(error, exceptions.NoPermissionError):
        return f"the user may not do this ({kind})"
    return kind


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
