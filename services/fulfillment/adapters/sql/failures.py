"""What a database's errors mean for a task, by code and never by text: a text may quote a person's value.

Transient kinds are named; whatever else a database refuses is for a person. An error that comes neither from
a database nor from the network is a fault of ours and is not caught here.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from services.fulfillment.adapters.sql.causes import cause_of
from services.fulfillment.datamap.systems import SecretMissingError
from services.fulfillment.ports import NeedsPerson, Retry
from services.fulfillment.rowwise.rows import RowFailure


class BadAddressError(ValueError):
    """The secret holds no database address."""


class SchemaDriftError(LookupError):
    """A table or column of the map is not in the database."""


class UnboundedError(RuntimeError):
    """More was found than one person can reasonably have."""


class RefusedError(RuntimeError):
    """The act would break or touch rows that are not part of the request."""


EXPECTED = (
    DBAPIError,
    sa.exc.TimeoutError,
    OSError,
    SecretMissingError,
    BadAddressError,
    SchemaDriftError,
    UnboundedError,
    RefusedError,
    RowFailure,
)

Meaning = Literal["away", "busy", "credentials", "schema", "refused", "unbounded"]

_OURS: dict[type, Meaning] = {
    SchemaDriftError: "schema",
    UnboundedError: "unbounded",
    RefusedError: "refused",
}
_SQLSTATE: dict[str, Meaning] = {
    "08": "away",
    "28": "credentials",
    "3D000": "credentials",
    "3F000": "schema",
    "40": "busy",
    "42501": "credentials",
    "42703": "schema",
    "42P01": "schema",
    "53": "busy",
    "55000": "away",
    "55P03": "busy",
    "57": "busy",
    "57P": "away",
}
_SQLITE: dict[str, Meaning] = {
    "SQLITE_BUSY": "busy",
    "SQLITE_LOCKED": "busy",
    "SQLITE_INTERRUPT": "busy",
    "SQLITE_CANTOPEN": "away",
    "SQLITE_IOERR": "away",
    "SQLITE_FULL": "away",
    "SQLITE_READONLY": "credentials",
    "SQLITE_PERM": "credentials",
    "SQLITE_AUTH": "credentials",
    "SQLITE_SCHEMA": "schema",
}
_MYSQL: dict[Meaning, frozenset[int]] = {
    "away": frozenset({1053, 1129, 1152, 1159, 1161, 1927, 2002, 2003, 2005, 2006, 2013, 2055, 4031}),
    "busy": frozenset({1020, 1040, 1203, 1205, 1213, 1226, 1317, 1969, 3024, 3572}),
    "credentials": frozenset(
        {1044, 1045, 1049, 1130, 1142, 1143, 1227, 1251, 1290, 1370, 1698, 1820, 1836, 1862, 2026, 2059, 4151}
    ),
    "schema": frozenset({1051, 1054, 1091, 1109, 1146}),
}
_NUMBERED = "error "
_WORDS: dict[Meaning, str] = {
    "away": "the database cannot be reached",
    "busy": "the database is busy or took too long",
    "credentials": "the database does not let us in, or not do this",
    "schema": "the database no longer looks as its map says",
    "refused": "the database refused the statement",
    "unbounded": "too much was found for one person",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A classified error: its meaning, and words that are safe to show."""

    meaning: Meaning
    reason: str

    def outcome(self, retry_after: timedelta) -> Retry | NeedsPerson:
        """The answer where nothing was done: certain before a COMMIT was sent."""
        if self.meaning == "away" or self.meaning == "busy":  # noqa: PLR1714 - narrows the type
            return Retry(retry_after, self.reason)
        return NeedsPerson(self.meaning, self.reason)


def classify(error: Exception) -> Failure:
    """Say what one of the EXPECTED errors means."""
    match error:
        case SchemaDriftError() | UnboundedError() | RefusedError():
            return Failure(_OURS[type(error)], str(error))
        case RowFailure():
            return Failure(error.meaning, error.reason)
        case SecretMissingError() | BadAddressError():
            return Failure("credentials", str(error) or "the secret holds no database address")
        case DBAPIError():
            return _of_database(error)
    return Failure("away", f"{_WORDS['away']}: {cause_of(error) or type(error).__name__}")


def _of_database(error: DBAPIError) -> Failure:
    code = _code(error.orig)
    if error.connection_invalidated:
        return Failure(
            "away", f"{_WORDS['away']}: {cause_of(error, code) or 'the connection was broken off'}"
        )
    number = int(code.removeprefix(_NUMBERED)) if code.startswith(_NUMBERED) else 0
    meaning = next((each for each, codes in _MYSQL.items() if number in codes), None)
    meaning = (
        meaning or _by_prefix(code) or _SQLITE.get("_".join(code.split("_")[:2])) or _by_class(error, code)
    )
    cause = cause_of(error, code) if meaning in {"away", "credentials"} else None
    words = f"{_WORDS[meaning]}: {cause}" if cause else _WORDS[meaning]
    return Failure(meaning, f"{words} ({code or type(error).__name__})")


def _code(error: BaseException | None) -> str:
    """MySQL and MariaDB number theirs, for the states that they name are few; the text beside it may quote."""
    numbers = [each for each in getattr(error, "args", ())[:1] if type(each) is int]
    if numbers:
        return f"{_NUMBERED}{numbers[0]}"
    return str(getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None) or "")


def _by_prefix(code: str) -> Meaning | None:
    return next((_SQLSTATE[code[:size]] for size in (5, 3, 2) if code[:size] in _SQLSTATE), None)


def _by_class(error: DBAPIError, code: str) -> Meaning:
    """SQLite has one code for every wrong statement: a table or column that is not there."""
    if code == "SQLITE_ERROR" or (not code and isinstance(error, sa.exc.ProgrammingError)):
        return "schema"
    if not code and isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return "away"
    return "refused"
