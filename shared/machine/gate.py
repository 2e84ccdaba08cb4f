"""The gate: what a message is to a case that already heard others.

Events are applied in sequence per (topic, request): lower or equal is ignored, next is applied, higher waits.
Commands have no sequence: their source and id are remembered. What a service says to itself needs no gate.
"""

from typing import Literal
from uuid import UUID

from shared.machine.decision import Message
from shared.machine.ports import CaseRow

Verdict = Literal["apply", "duplicate", "park"]


def classify(row: CaseRow, message: Message, seen: set[tuple[str, UUID]]) -> Verdict:
    """Whether to apply a message to this case now, never, or later."""
    if message.kind == "event":
        return _event(row, message)
    if message.kind == "command":
        if (message.source, message.id) in seen:
            return "duplicate"
        # A blocked case waits for a person; what is asked of it meanwhile is kept, not lost.
        return "park" if row.blocked else "apply"
    return "apply"


def _event(row: CaseRow, message: Message) -> Verdict:
    last = row.applied.get(message.topic, 0)
    sequence = message.sequence or 0
    if sequence <= last:
        return "duplicate"
    return "apply" if sequence == last + 1 and not row.blocked else "park"
