"""What an earlier deletion was bound to, with what has come in since under other keys but from before the cut-off."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.fulfillment.finding import find, together
from services.fulfillment.freezing import Freezing, KeepsPieces, PieceMissingError
from services.fulfillment.ports import Adapter, Frozen, NeedsPerson, Retry
from services.fulfillment.subjects import UNREADABLE, Subjects
from shared.tasks.work import Claimed
from shared.vault.vault import Vault

Sealed = tuple[str, UUID]


class ReadsBound(Protocol):
    """What the calls of earlier tasks were bound to."""

    async def bound_of(self, request_id: UUID, key: str) -> Sealed | None:
        """The sealed ids of a request's task and the id that they are sealed under, if it called out."""
        ...


class Forgotten:
    """The request's key is gone, and with it the ids and the person."""


class Earlier:
    """Opens an earlier task's ids; plaintext lives only as long as the attempt."""

    def __init__(
        self, bound: ReadsBound, subjects: Subjects, vault: Vault, pieces: KeepsPieces | None = None
    ) -> None:
        self._bound = bound
        self._subjects = subjects
        self._freezing = Freezing(vault, pieces)

    async def rows(self, task: Claimed, adapter: Adapter) -> Frozen | Retry | NeedsPerson | Forgotten:
        """The ids of then; and what is found anew, where creation times tell that it is not from after."""
        earlier = await self._frozen(task)
        if not isinstance(earlier, Frozen) or not adapter.capabilities.bounded_by_cutoff:
            return earlier
        wanted = await self._subjects.wanted(task.request_id, proved=task.body["proved"])
        if isinstance(wanted, NeedsPerson):
            return Forgotten()
        found = await find(adapter, wanted, datetime.fromisoformat(task.body["cut_off"]))
        return together(earlier, found) if isinstance(found, Frozen) else found

    async def _frozen(self, task: Claimed) -> Frozen | NeedsPerson | Forgotten:
        sealed = await self._bound.bound_of(task.request_id, task.body["earlier"])
        if sealed is None:
            return Frozen({})
        try:
            frozen, _ = await self._freezing.thaw(task.request_id, sealed[1], sealed[0])
        except UNREADABLE:
            return Forgotten()
        except PieceMissingError:
            return NeedsPerson("refused", "what the deletion was bound to is not all there any more")
        return frozen
