"""One pool per process, and the named kinds of database trouble.

What is transient is listed here and nowhere else: a lost connection, a server that is away, full or turned
read-only, a lock not got in time, a deadlock. An error from COMMIT is transient too: it may have committed, and
everything that runs here is safe to repeat.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog

log = structlog.get_logger("database")

REPEAT_AT_ONCE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdowns, crashes, canceled queries
    asyncpg.InsufficientResourcesError,  # connections, disk, memory
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # the primary that we knew became a replica
    asyncpg.StatementCompletionUnknownError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.InternalClientError,
    OSError,
    TimeoutError,
)
TRANSIENT = (*REPEAT_AT_ONCE, *AWAY)
# Not transient, since a person must act, but never the fault of a message either: a missing grant or table, a
# changed password. Judging messages by these would bury everything that comes in.
MISCONFIGURED = (
    asyncpg.SyntaxOrAccessError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidSchemaNameError,
)
# Queues fill and empty within seconds, so the planner's figures about them are always old, and it would sort or scan
# all that waits to take a few rows. Every statement here has its index: plan once, and use it.
BY_INDEX = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
T = TypeVar("T")


async def open_pool(url: str, *, application: str, size: int = 6) -> asyncpg.Pool:
    """A pool whose sessions name themselves, time out, and never wait for ever on a lock.

    Raises:
        OSError, asyncpg.PostgresError: the server cannot be reached or refuses us.
    """
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        command_timeout=30,
        timeout=10,
        reset=_as_it_is,
        server_settings={
            "application_name": application,
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "60s",
            **BY_INDEX,
        },
    )


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    """Nothing of ours changes a session (no SET, LISTEN, advisory lock or cursor), so there is nothing to undo.

    asyncpg would send a round trip of undoing after every use, which is a third of all; an open transaction is
    rolled back all the same.
    """


class NeedsMending(ConnectionError):
    """Away until a person does what the sentence says; it names no person and no secret."""


async def until_back(operation: Callable[[], Awaitable[T]], *, what: str, longest: float = 5.0) -> T:
    """Run `operation` until the server answers: waits grow with jitter up to `longest` seconds, for ever."""
    wait = 0.05
    while True:
        try:
            return await operation()
        except TRANSIENT as error:
            mend = {"remedy": str(error)} if isinstance(error, NeedsMending) else {}
            log.warning(
                "server.away", what=what, error=type(error).__name__, wait_seconds=round(wait, 2), **mend
            )
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, longest)
