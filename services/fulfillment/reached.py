"""Why something on the network cannot be reached, in words that quote nothing of what was said or sent."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator

_OF_TYPE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (socket.gaierror, "the name of its host is not known here"),
    (ssl.SSLCertVerificationError, "its TLS certificate is not one that is trusted here"),
    (ssl.SSLError, "TLS could not be agreed on"),
    (ConnectionRefusedError, "nothing listens at its host and port"),
    (TimeoutError, "it gave no answer in time"),
    ((ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError), "the connection was broken off"),
)
_UNREACHABLE = {"ENETUNREACH", "EHOSTUNREACH"}
_TLS_REFUSED, _SEVERAL = "rejected SSL upgrade", "Multiple exceptions: [Errno 111]"


def why_not_reached(error: BaseException) -> str | None:
    """The cause, by the kinds of errors that led to this one; None for one that nobody knows."""
    for each in origins_of(error):
        for kinds, words in _OF_TYPE:
            if isinstance(each, kinds):
                return words
        if network := _of_network(each):
            return network
    return None


def not_reached(what: str, error: BaseException, *, cause: str | None = None) -> str:
    """That `what` cannot be reached, why where that is known, and the kind of the error."""
    words = cause or why_not_reached(error)
    because = f": {words}" if words else ""
    return f"{what} cannot be reached{because} ({type(error).__name__})"


def _of_network(error: BaseException) -> str | None:
    if not isinstance(error, OSError):
        return None
    if _TLS_REFUSED in str(error):
        return "it does not speak TLS"
    if _SEVERAL in str(error):
        # Several addresses of one host, each refused: asyncio says so in a text, and in no type.
        return "nothing listens at its host and port"
    unreachable = errno.errorcode.get(error.errno or 0) in _UNREACHABLE
    return "there is no way to its host from here" if unreachable else None


def origins_of(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of, each once."""
    seen = list[BaseException]()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if any(each is other for other in seen):
            continue
        seen.append(each)
        yield each
        origins = (getattr(each, "orig", None), each.__cause__, each.__context__)
        waiting += [origin for origin in origins if isinstance(origin, BaseException)]
