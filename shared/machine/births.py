"""Tasks that are taken up in the transaction that plans them.

A task that is due at once would be looked for, locked and claimed a moment after the same process wrote it, in a
transaction of its own. Instead it is written as claimed, and begins once that is committed (ADR 0066).
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from shared.machine.batch import Working
from shared.machine.parts import Starter
from shared.machine.ports import NewTask, Writes


class Births:
    """Entered around one transaction; what it took up begins after the commit, and only then."""

    def __init__(self, starter: Starter | None) -> None:
        self._starter = starter
        self._taken: Sequence[NewTask] = ()
        self._new: set[UUID] = set()

    def take(self, writes: Writes, working: Mapping[UUID, Working[Any]]) -> None:
        """Let the starter choose among the tasks that are about to be written."""
        if self._starter is None:
            return
        for place, task in enumerate(writes.tasks):
            held = working[task.request_id]
            if not held.row.blocked:
                writes.tasks[place] = self._starter.take(task, held.case)
        self._taken = [task for task in writes.tasks if task.lease_seconds]

    def written(self, new: set[UUID]) -> None:
        """Which of the tasks were not there before."""
        self._new = new

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._starter is None or not self._taken:
            return
        if kind is not None:
            self._starter.put_back(self._taken)
            return
        self._starter.leave([task for task in self._taken if task.task_id not in self._new])
        self._starter.start([task for task in self._taken if task.task_id in self._new])
