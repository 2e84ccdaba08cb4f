"""The review task: it asks a person, and waits until they have decided."""

from services.fulfillment.domain.reviewing import NEEDS_DECISION
from shared.tasks.work import Answer, Calling, Claimed, Finished


class ReviewHandler:
    """Puts a request before a person; their signed word ends the task."""

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Say what is to be decided."""
        del calling
        return Finished("needs_person", {"kind": NEEDS_DECISION, "reason": task.body["words"]})
