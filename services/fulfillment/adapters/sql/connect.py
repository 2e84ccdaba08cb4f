"""One bounded pool per system, with every wait limited and no value ever in an error."""

import logging
import sqlite3
from inspect import signature
from typing import Any
from urllib.parse import quote

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.fulfillment.adapters.sql.collations import COLLATING
from services.fulfillment.adapters.sql.failures import BadAddressError
from services.fulfillment.datamap.systems import Limits

_DRIVERS = {
    "mariadb": "mariadb+asyncmy",
    "mysql": "mysql+asyncmy",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
}


# How long a process of ours that stands still may keep what it has locked: longer than it waits for a processor when
# this machine is busy, which says nothing about the database, and has nothing to do with how long a statement may take.
_IDLE_TRANSACTION = "60s"
_NO_DRIVER = "no asynchronous driver for such an address is installed (for MySQL and MariaDB: habeas[mysql])"

# It logs every statement with its values, a person's among them, wherever DEBUG is switched on for all.
logging.getLogger("aiosqlite").setLevel(logging.INFO)
# It logs the server's warnings, which quote values.
logging.getLogger("asyncmy").setLevel(logging.ERROR)


def make_engine(address: str, limits: Limits) -> AsyncEngine:
    """Make the engine; nothing is connected yet."""
    url = _url(address)
    try:
        engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_size=limits.connections,
            max_overflow=0,
            pool_timeout=limits.connect_seconds,
            pool_recycle=1800,
            connect_args=_connect_args(url.get_backend_name(), limits),
            # Whoever writes sees what others have committed meanwhile, as in the other databases.
            **({"isolation_level": "READ COMMITTED"} if url.get_backend_name() in COLLATING else {}),
        )
    except (ImportError, sa.exc.ArgumentError, sa.exc.InvalidRequestError):
        raise BadAddressError(_NO_DRIVER) from None
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite(engine.sync_engine)
    return engine


def _url(address: str) -> sa.URL:
    try:
        url = sa.make_url(address)
    except sa.exc.ArgumentError:
        raise BadAddressError from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername == _DRIVERS["postgresql"]:
        return _as_its_driver_spells(url)
    if url.get_backend_name() != "sqlite" or (url.database or "").startswith("file:"):
        return url
    # Opened for writing but never created: a missing file must be an error, not an empty database.
    return url.set(database=f"file:{quote(url.database or '')}", query={"mode": "rw", "uri": "true"})


def _as_its_driver_spells(url: sa.URL) -> sa.URL:
    """PostgreSQL's own `sslmode` is `ssl` for the driver, which fails over any name that it does not know."""
    mode = url.query.get("sslmode")
    url = url.difference_update_query(["sslmode"])
    unknown = sorted(set(url.query) - set(signature(asyncpg.connect).parameters))
    if unknown:
        raise BadAddressError(f"the address has parameters that are not understood: {', '.join(unknown)}")
    return url if mode is None else url.update_query_dict({"ssl": mode})


def _connect_args(backend: str, limits: Limits) -> dict[str, Any]:
    if backend == "sqlite":
        return {"timeout": limits.statement_seconds}
    if backend in COLLATING:
        return _of_mysql(limits)
    if backend != "postgresql":
        return {}
    milliseconds = str(int(limits.statement_seconds * 1000))
    return {
        "timeout": limits.connect_seconds,
        # The server's own limit comes first, so that it ends the statement and says so.
        "command_timeout": limits.statement_seconds + 2,
        "server_settings": {
            "application_name": "habeas",
            "statement_timeout": milliseconds,
            "lock_timeout": milliseconds,
            "idle_in_transaction_session_timeout": _IDLE_TRANSACTION,
        },
    }


def _of_mysql(limits: Limits) -> dict[str, Any]:
    """What both servers understand, and in comments of the kind that they read each one's own limit of a statement.

    The mode is ours, whatever the server's is: without backslashes the driver's own quoting could be broken out of.
    """
    seconds = limits.statement_seconds
    return {
        "charset": "utf8mb4",
        "connect_timeout": limits.connect_seconds,
        # The server's own limit comes first; MySQL has none for a statement that writes.
        "read_timeout": seconds + 2,
        "init_command": "SET SESSION sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00',"
        f" innodb_lock_wait_timeout = {max(1, round(seconds))}"
        f" /*M!100101 , max_statement_time = {seconds:f} */ /*!50708 , max_execution_time = {seconds * 1000:.0f} */",
    }


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Foreign keys are enforced, freed pages overwritten, and a writing transaction locks at once."""

    @sa.event.listens_for(engine, "do_connect")
    def _connecting(_dialect: object, _record: object, where: list[Any], how: dict[str, Any]) -> None:
        # aiosqlite's thread outlives a file that cannot be opened, and speaks to a loop that may have ended.
        sqlite3.connect(*where, **how).close()

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("habeas_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
