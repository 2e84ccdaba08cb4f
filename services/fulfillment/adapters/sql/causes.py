"""Why a database cannot be reached or lets nobody in, in words that quote nothing of what was said or sent."""

from asyncpg.exceptions import ClientConfigurationError

from services.fulfillment.reached import origins_of, why_not_reached

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
    if any(isinstance(each, ClientConfigurationError) for each in origins_of(error)):
        return "its address asks for a TLS root certificate, and PGSSLROOTCERT names no such file"
    return why_not_reached(error) or _OF_CODE.get(code)
