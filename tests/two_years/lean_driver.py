"""The tests' driver of a domain with its case held in memory: twenty thousand lives have to fit into two minutes.

The gate, the batch, the audit chain and the records' bytes stay the machine's own. The slice in the tests runs the
same lives with the other driver, which writes and reads every case.
"""

from datetime import datetime
from typing import Any, Generic

from shared.events.envelope import Raw
from shared.machine.batch import Batch, Working
from shared.machine.decision import C, Decision, Message
from shared.machine.incoming import to_incoming
from shared.machine.ports import OutboxRow
from tests.support.domain_driver import DomainDriver, Sent, Step


class LeanDriver(DomainDriver[C], Generic[C]):
    """Reads each record that it sends once, for all who will hear it."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._held = self._batch().adopt(self._row)
        self._row = self._held.row
        self._read: dict[int, Message] = {}

    @property
    def case(self) -> C:
        return self._held.case

    @property
    def wake_at(self) -> datetime | None:
        return self._held.wake_at

    def read_back(self, sent: Sent) -> Message:
        return self._read[id(sent.row)]

    def _working(self, batch: Batch[C]) -> Working[C]:
        del batch
        return self._held

    def _apply(
        self, batch: Batch[C], working: Working[C], decision: Decision[C], message: Message
    ) -> Step[C]:
        batch.apply(working, decision, message)
        self._row = working.row
        self.sent.extend(Sent(self._message(row).body, row) for row in batch.writes.outbox)
        for task in batch.writes.tasks:
            self.tasks.setdefault(task.plan.key, task.plan)
        self.hurried.extend(key for _, key, _ in batch.writes.hurried)
        return Step("applied" if decision.refusal is None else "refused", working.case, decision.refusal)

    def _message(self, row: OutboxRow) -> Message:
        headers = tuple((name, value.encode()) for name, value in row.headers.items())
        message = to_incoming(Raw(row.topic, 0, 0, row.key.encode(), headers, row.value))
        assert isinstance(message, Message), "what is sent must be readable"
        self._read[id(row)] = message
        return message
