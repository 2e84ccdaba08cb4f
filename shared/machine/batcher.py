"""Gathers what arrives one by one (HTTP requests, finished tasks) into batches for the shell."""

from collections.abc import Sequence
from typing import Protocol

from shared.events.envelope import Unreadable
from shared.gathering import Gathering
from shared.machine.decision import Message
from shared.machine.shell import Result

MOST = 200


class Handles(Protocol):
    """The shell, as far as a batcher needs it."""

    async def handle(self, incoming: Sequence[Message | Unreadable]) -> list[Result]:
        """Apply a batch."""
        ...


class Batcher:
    """The way into the shell for one message at a time."""

    def __init__(self, shell: Handles) -> None:
        self._gathering: Gathering[Message, Result] = Gathering(shell.handle, most=MOST)

    async def submit(self, message: Message) -> Result:
        """Apply one message together with its neighbours; its result after the commit.

        Raises:
            whatever the batch's transaction raised: it is unknown whether it happened, and safe to repeat.
        """
        return await self._gathering.submit(message)
