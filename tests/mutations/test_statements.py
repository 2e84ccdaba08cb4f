"""The contract suites prove nothing of the SQL unless they fail where they must: on PostgreSQL, each bug is caught."""

import asyncio
import inspect
from contextlib import ExitStack
from typing import Any
from unittest import mock

import asyncpg
import pytest

from tests.contracts.outbox import test_any_outbox as on_outbox
from tests.contracts.store import test_any_task_store as on_tasks
from tests.mutations.statements import SQL_MUTATIONS, SqlMutation
from tests.support.outbox_worlds import PostgresOutboxWorld
from tests.support.store_worlds import PostgresWorld

pytestmark = pytest.mark.connected

CAUGHT = (AssertionError, TimeoutError, ValueError, asyncpg.PostgresError, BaseExceptionGroup)
NOT_FOR_EVER = 3.0
"""A statement that waits for a lock which nobody gives up shows in this way."""


@pytest.mark.parametrize("mutation", SQL_MUTATIONS, ids=lambda one: one.name)
async def test_the_contract_catches_the_bug_and_without_it_the_same_test_passes(
    mutation: SqlMutation, postgres_world: PostgresWorld
) -> None:
    await _run(mutation, postgres_world)

    with pytest.raises(CAUGHT) as caught:
        await _with_the_bug(mutation, postgres_world)

    assert not isinstance(caught.value, asyncpg.SyntaxOrAccessError), (
        "this is no bug but a misspelled statement"
    )


async def _with_the_bug(mutation: SqlMutation, world: PostgresWorld) -> None:
    with ExitStack() as changed:
        for name, statement in _statements(mutation).items():
            changed.enter_context(mock.patch.object(mutation.changes[0].module, name, statement))
        await _run(mutation, world)


def _statements(mutation: SqlMutation) -> dict[str, str]:
    changed: dict[str, str] = {}
    for change in mutation.changes:
        changed[change.name] = change.within(changed.get(change.name, getattr(change.module, change.name)))
    return changed


async def _run(mutation: SqlMutation, world: PostgresWorld) -> None:
    """The contract's test on an empty PostgreSQL."""
    await world.empty()
    outbox = PostgresOutboxWorld(world)
    await outbox.empty()
    module = inspect.getmodule(mutation.caught_by)
    subject: Any = outbox if module is on_outbox else on_tasks.Desk(world) if module is on_tasks else world
    async with asyncio.timeout(NOT_FOR_EVER):
        await mutation.caught_by(subject, *mutation.given)
