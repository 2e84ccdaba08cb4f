"""What a person can mend becomes one sentence that says so; a bug keeps its traceback, which is for us."""

from collections.abc import Callable

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from deploy.dead_letters import CannotReplay
from deploy.local.errors import StackError
from deploy.recover import CannotRecover
from deploy.retention.plan import PlanRefused
from deploy.settings import local_settings
from shared.private_files import KeyFileRefused

Kinds = type[BaseException] | tuple[type[BaseException], ...]
Say = Callable[[BaseException], str | None]


def sentence(error: BaseException) -> str | None:
    """What to say in place of a traceback, or None for what nobody foresaw."""
    return next((say(error) for kinds, say in _SENTENCES if isinstance(error, kinds)), None)


def _itself(error: BaseException) -> str:
    return str(error)


def _wrong_input(error: BaseException) -> str | None:
    """A setting, or what was typed for a command; anything else that does not validate is our own mistake."""
    if not isinstance(error, ValidationError):
        return None
    wrong = "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"
        for one in error.errors(include_input=False, include_url=False)
    )
    if error.title.endswith("Settings"):
        return f"A setting is wrong ({wrong}); docs/reference/settings.md lists the variables."
    return f"Nothing was sent ({wrong})." if error.title in _typed_commands() else None


def _typed_commands() -> set[str]:
    """The names of the commands that people give."""
    from shared.events.message import CATALOGUE

    return {one.model.__name__ for one in CATALOGUE.values() if one.signed}


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
    ((StackError, KeyFileRefused, CannotReplay, CannotRecover, PlanRefused), _itself),
    (ValidationError, _wrong_input),
    (KafkaError, _kafka),
    ((asyncpg.PostgresError, asyncpg.InterfaceError), _database),
    ((ConnectionError, TimeoutError), _network),
    (OSError, _disk),
)
