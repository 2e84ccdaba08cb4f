"""One pool per process, and the named kinds of database trouble.

What is transient is listed here and nowhere else: a lost connection, a server that is away, a deadlock. An error
from COMMIT is transient too: it may have committed, and everything that runs here is safe to repeat.
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
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.exceptions.InternalClientError,
    OSError,
    TimeoutError,
)
TRANSIENT = (*REPEAT_AT_ONCE, *AWAY)
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
        server_settings={
            "application_name": application,
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "60s",
            "jit": "off",
        },
    )


async def until_back(operation: Callable[[], Awaitable[T]], *, what: str, longest: float = 5.0) -> T:
    """Run `operation` until the database answers: waits grow with jitter up to `longest` seconds, for ever."""
    wait = 0.05
    while True:
        try:
            return await operation()
        except TRANSIENT as error:
            log.warning("database.away", what=what, error=type(error).__name__, wait_seconds=round(wait, 2))
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, longest)
