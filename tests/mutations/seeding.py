"""How a bug is put into production code for one world, and the kinds of worlds in which bugs show.

None edits a file: a mutation replaces a function while one world runs.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import wraps
from inspect import iscoroutinefunction, isfunction
from typing import Any, Literal
from unittest import mock

from pydantic import ValidationError

from tests.simulation.plan import Plan
from tests.simulation.scheduler import Scheduler

Layer = Literal["simulation", "store contract", "adapter contract", "real fault test"]
"""Who must catch a bug: the simulation, the contract suites on PostgreSQL or in real shops, real processes."""
Apply = Callable[[Scheduler], AbstractContextManager[Any]]
DEAD = (TypeError, AttributeError, NameError, ValidationError)
STEPS = 600
MANY_STEPS = 1_500
DELETIONS = Plan(
    people=3,
    requests=4,
    processes=1,
    legacy=False,
    faults=frozenset(),
    failing=0.1,
    rights=("delete",),
)
LOST_ANSWERS = replace(DELETIONS, faults=frozenset({"points"}), proved=True)
OLD_SYSTEM = replace(LOST_ANSWERS, legacy=True)
MOVED_KEYS = replace(DELETIONS, faults=frozenset({"points", "repartition"}), requests=6)
HOLDS = replace(DELETIONS, faults=frozenset({"hold"}))
WITHDRAWALS = replace(DELETIONS, faults=frozenset({"withdraw"}), rights=("opt_out",))
LONG = replace(DELETIONS, faults=frozenset({"jump", "points"}), urgency=10.0)
UNSENDABLE = replace(DELETIONS, faults=frozenset({"unsendable"}), urgency=5.0)
TWO_RELAYS = replace(LONG, processes=2)
NEVER_OVER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Mutation:
    """A bug, who must catch it, and the kind of simulated world in which it shows most often."""

    name: str
    apply: Apply
    plan: Plan | None = None
    steps: int = STEPS
    layers: tuple[Layer, ...] = ("simulation",)


class DeadBugError(Exception):
    """A bug that fits the code no more and fails by itself: that its world breaks says nothing."""


FAILED: list[Exception] = []
"""What bugs raised by themselves: the shell takes it for the message's, so that nobody else would hear of it."""


def replaced(target: Any, name: str, made: Callable[[Any], Any]) -> Apply:
    """Put something made of the original in its place."""
    return lambda _scheduler: mock.patch.object(target, name, _alive(made(target.__dict__[name])))


def in_table(table: Any, key: object, made: Callable[[Any], Any]) -> Apply:
    """The same for a function that production code looks up in a table."""
    return lambda _scheduler: mock.patch.dict(table, {key: _alive(made(table[key]))})


def always(value: Any) -> Callable[[Any], Any]:
    return lambda _original: value


def _alive(bug: Any) -> Any:
    """The bug, which says so when it does not fit where it was put."""
    if not isfunction(bug):
        return bug

    @wraps(bug)
    def called(*args: Any, **named: Any) -> Any:
        with _noted():
            return bug(*args, **named)

    @wraps(bug)
    async def called_later(*args: Any, **named: Any) -> Any:
        with _noted():
            return await bug(*args, **named)

    return called_later if iscoroutinefunction(bug) else called


@contextmanager
def _noted() -> Iterator[None]:
    try:
        yield
    except DEAD as error:
        FAILED.append(error)
        raise
