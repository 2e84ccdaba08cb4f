"""What a person can mend becomes one sentence that says so; a bug keeps its traceback, which is for us."""

from collections.abc import Callable

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from deploy.dead_letters import CannotReplay
from deploy.local.errors import StackError
from deploy.settings import local_settings
from shared.private_files import KeyFileRefused

Kinds = type[BaseException] | tuple[type[BaseException], ...]
Say = Callable[[BaseException], str | None]


def sentence(error: BaseException) -> str | None:
    """What to say in place of a traceback, or None for what nobody foresaw."""
    return next((say(error) for kinds, say in _SENTENCES if isinstance(error, kinds)), None)


def _itself(error: BaseException) -> str:
    return str(error)


def _settings(error: BaseException) -> str | None:
    if not isinstance(error, ValidationError) or not error.title.endswith("Settings"):
        return None
    wrong = (
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
        for one in error.errors(include_input=False, include_url=False)
    )
    return f"A setting is wrong ({'; '.join(wrong)}); docs/reference/settings.md lists the variables."


def _kafka(error: BaseException) -> str:
    return (
        f"Kafka does not answer at {local_settings().kafka_bootstrap}, or refuses ({type(error).__name__}); "
        "start it (habeas stack up), or name yours in HABEAS_KAFKA_BOOTSTRAP."
    )


def _database(error: BaseException) -> str:
    return (
        f"The database refuses ({type(error).__name__}: {error}); run habeas migrate, "
        "and look at HABEAS_DATABASE_URL if the server is your own."
    )


def _network(error: BaseException) -> str:
    return f"A server does not answer ({error}); see what runs with: habeas stack status."


def _disk(error: BaseException) -> str:
    return f"A file cannot be read or written ({error})."


_SENTENCES: tuple[tuple[Kinds, Say], ...] = (
    ((StackError, KeyFileRefused, CannotReplay), _itself),
    (ValidationError, _settings),
    (KafkaError, _kafka),
    ((asyncpg.PostgresError, asyncpg.InterfaceError), _database),
    ((ConnectionError, TimeoutError), _network),
    (OSError, _disk),
)
