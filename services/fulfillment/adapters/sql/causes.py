"""Why a database cannot be reached or lets nobody in, in words that quote nothing of what was said or sent."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator

from asyncpg.exceptions import ClientConfigurationError

_OF_TYPE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (socket.gaierror, "the name of its host is not known here"),
    (ssl.SSLCertVerificationError, "its TLS certificate is not one that is trusted here"),
    (ssl.SSLError, "TLS could not be agreed on"),
    (
        ClientConfigurationError,
        "its address asks for a TLS root certificate, and PGSSLROOTCERT names no such file",
    ),
    (ConnectionRefusedError, "nothing listens at its host and port"),
    (TimeoutError, "it gave no answer in time"),
    ((ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError), "the connection was broken off"),
)
_UNREACHABLE = {"ENETUNREACH", "EHOSTUNREACH"}
_TLS_REFUSED, _SEVERAL = "rejected SSL upgrade", "Multiple exceptions: [Errno 111]"
_OF_CODE = {
    # PostgreSQL's states
    "28P01": "the user or the password is wrong",
    "28000": "the user is unknown, or may not come from here or without TLS",
    "3D000": "it has no database of this name",
    "57P01": "it is being shut down",
    "57P03": "it is starting or being shut down",
    "53300": "it has no connection left",
    "42501": "the user may not do this",
    # MySQL's and MariaDB's numbers
    "error 1044": "the user may not use this database",
    "error 1045": "the user or the password is wrong",
    "error 1049": "it has no database of this name",
    "error 1040": "it has no connection left",
    "error 1142": "the user may not do this",
    "error 1698": "the user or the password is wrong",
    "error 2003": "nothing answers at its host and port",
    "error 2005": "the name of its host is not known here",
    "error 2013": "the connection was broken off",
    "error 2026": "TLS could not be agreed on",
    "SQLITE_CANTOPEN": "its file is not there, or not for this account",
    "SQLITE_READONLY": "its file may not be written by this account",
}


def cause_of(error: BaseException, code: str = "") -> str | None:
    """The cause, by the kinds of errors that led to this one, else by the database's code."""
    for each in _chain(error):
        for kinds, words in _OF_TYPE:
            if isinstance(each, kinds):
                return words
        if network := _of_network(each):
            return network
    return _OF_CODE.get(code)


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


def _chain(error: BaseException) -> Iterator[BaseException]:
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
