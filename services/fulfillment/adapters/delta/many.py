"""Many people searched and shown with one reading of each table; who cannot be is left to be asked alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.fulfillment.adapters.delta.store import DeltaStore
from services.fulfillment.bulk import Shown, Sought
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Export, Frozen, Key
from services.fulfillment.rowwise.adapter import EXPECTED, RowAdapter
from services.fulfillment.rowwise.changing import Held, held
from services.fulfillment.rowwise.together import find_together, show_together
from shared.clock import Clock


class LakeAdapter(RowAdapter):
    """The adapter of every store, which reads a table once for all who are asked for at a time."""

    def __init__(self, system: System, store: DeltaStore, clock: Clock) -> None:
        super().__init__(system, store, clock)
        self._lake = store
        self._name, self._most = system.system, system.limits.max_rows

    async def find_many(self, sought: Sequence[Sought]) -> list[Frozen | None]:
        """What each would find alone."""
        try:
            return await find_together(self._lake, sought, self._most)
        except EXPECTED:
            return [None] * len(sought)

    async def export_many(self, shown: Sequence[Shown]) -> list[Export | None]:
        """What each would be shown alone."""
        try:
            return await show_together(self._lake, self._name, shown, self._held)
        except EXPECTED:
            return [None] * len(shown)

    async def _held(self, keys: Mapping[str, Sequence[Key]], cut_off: datetime) -> Held:
        return await held(self._lake, keys, cut_off)
