"""The join task: a later request of the same verified subject waits for the first one's end.

Answered as a duplicate before that, it would be left unanswered in truth if the first were withdrawn.
"""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from shared.tasks.work import Again, Answer, Calling, Claimed, Finished

LONGEST = timedelta(minutes=5)


class ReadsEnds(Protocol):
    """How other requests of this service ended."""

    async def resolution_of(self, request_id: UUID) -> str | None:
        """The resolution of a request, or None while it has none."""
        ...


class JoinHandler:
    """Looks from time to time whether the first request has ended, and how."""

    def __init__(self, ends: ReadsEnds) -> None:
        self._ends = ends

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Say how the first request ended, or look again later."""
        del calling
        resolution = await self._ends.resolution_of(UUID(task.body["first"]))
        if resolution is None:
            return Again(
                min(timedelta(seconds=2 ** min(task.attempts, 9)), LONGEST), "the first is still open"
            )
        return Finished("done", {"resolution": resolution})
