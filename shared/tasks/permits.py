"""Asks the domain whether a task may go on; a case that cannot be asked stops its own tasks only."""

from datetime import datetime, timedelta
from typing import Any, Generic
from uuid import UUID

import structlog

from shared.machine.case_texts import texts_of
from shared.machine.decision import C, Context, Domain, Go, Stop, Wait

log = structlog.get_logger("tasks")
LOOK_AGAIN = timedelta(minutes=1)
SOONEST = timedelta(seconds=1)


def to_settle(verdict: Go | Stop | Wait) -> Go | Stop:
    """What may have called out is settled whatever the case says: proving reads, it does not act."""
    return verdict if isinstance(verdict, Stop) and verdict.settled else Go()


class Permits(Generic[C]):
    """The domain's `permit` over cases as they lie in the store."""

    def __init__(self, domain: Domain[C]) -> None:
        self._domain = domain

    def __call__(
        self,
        case: tuple[UUID, str | None],
        *,
        key: str,
        purpose: str,
        now: datetime,
        standing: Any = None,
    ) -> Go | Stop | Wait:
        """The domain's answer; a wait always ends later than now. `standing` is what was found beside the case."""
        request_id, body = case
        context = Context(now, "", b"", standing)
        try:
            verdict = self._domain.permit(self._case(request_id, body), key, purpose, context)
        except Exception:  # one case with a bug must not keep every other task from being claimed
            log.exception("task.permit_failed", request_id=str(request_id))
            return Wait(now + LOOK_AGAIN, "permit_failed")
        if isinstance(verdict, Wait):
            return Wait(max(verdict.until, now + SOONEST), verdict.reason)
        return verdict

    def _case(self, request_id: UUID, body: str | None) -> C:
        if body is None:
            return self._domain.open(request_id)
        return texts_of(self._domain.case_type).read(request_id, body)
