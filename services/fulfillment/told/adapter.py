"""The verbs that are the same for every system that is told: whom, nothing to export, and what needs no call."""

from datetime import datetime, timedelta

from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Export, Frozen, NeedsPerson, Nothing, Retry, Subject, TakesRows
from services.fulfillment.told.subjects import rights_told, whom
from shared.clock import Clock


class Telling:
    """What a told system's adapter is built on."""

    def __init__(self, system: System, clock: Clock) -> None:
        self.system = system
        self.clock = clock

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        """Nobody is asked: whoever is known by what the map names is told of."""
        return whom(self.system.datamap, subject)

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        """The categories that the map names; a copy cannot be had this way."""
        if specific:
            return NeedsPerson("refused", "a system that is only told cannot be asked for a copy")
        return Export(self.system.system, (), categories_held(self.system.datamap, frozen))

    async def close(self) -> None:
        """Nothing is held between two calls."""

    def idle(self, right: str, frozen: Frozen) -> Nothing | NeedsPerson | None:
        """The answers that need no call."""
        if right not in {each.value for each in rights_told(self.system)}:
            return NeedsPerson("refused", f"the system's file does not say that it is told to {right}")
        return Nothing("it knows nobody by what is known") if frozen.is_empty else None

    @property
    def retry_after(self) -> timedelta:
        return timedelta(seconds=self.system.limits.retry_seconds)
