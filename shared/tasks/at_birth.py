"""Lets new tasks be claimed in the transaction that plans them, if they may go on at once and a place is free."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic

from pydantic_core import from_json, to_json

from shared.clock import Clock
from shared.machine.decision import C, Domain, Go
from shared.machine.ports import NewTask
from shared.tasks.permits import Permits
from shared.tasks.runner import Runner
from shared.tasks.store import LEASE_SECONDS
from shared.tasks.work import Claimed


class AtBirth(Generic[C]):
    """A Starter for one service's runner."""

    def __init__(self, runner: Runner, domain: Domain[C], clock: Clock) -> None:
        self._runner = runner
        self._permits = Permits(domain)
        self._clock = clock

    def take(self, task: NewTask, case: C) -> NewTask:
        """The same task, under a lease if the rules let it go on now and there is room for it."""
        now, plan = self._clock.now(), task.plan
        if task.run_at > now or not self._runner.promise(plan.handler):
            return task
        verdict = self._permits.of(case, key=plan.key, purpose=plan.purpose, now=now)
        if isinstance(verdict, Go) and self._runner.lanes.enter(task.task_id, plan.body) is None:
            return replace(task, lease_seconds=LEASE_SECONDS)
        self._runner.release([_claimed(task)], unsure=False)
        return task

    def start(self, tasks: Sequence[NewTask]) -> None:
        """Run them."""
        self._runner.keep([_claimed(task) for task in tasks])

    def leave(self, tasks: Sequence[NewTask]) -> None:
        """They were planned before, and are somebody's already."""
        self._runner.release([_claimed(task) for task in tasks], unsure=False)

    def put_back(self, tasks: Sequence[NewTask]) -> None:
        """What was committed all the same is queued again."""
        self._runner.release([_claimed(task) for task in tasks], unsure=True)


def _claimed(task: NewTask) -> Claimed:
    """As a claim would have read it."""
    plan = task.plan
    return Claimed(
        task_id=task.task_id,
        request_id=task.request_id,
        key=plan.key,
        handler=plan.handler,
        purpose=plan.purpose,
        body=from_json(to_json(plan.body)),
        epoch=1,
        attempts=1,
        settle=False,
        urgency=plan.urgency,
    )
