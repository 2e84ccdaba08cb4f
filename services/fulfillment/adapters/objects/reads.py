"""Many people searched and shown with one reading of each file; who cannot be is left to be asked alone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from services.fulfillment.adapters.objects.lists import EXPECTED, One
from services.fulfillment.adapters.objects.tables import Tables
from services.fulfillment.bulk import Shown, Sought
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Export, Frozen
from services.fulfillment.rowwise.together import find_together, show_together

T = TypeVar("T")


class Reads:
    """The two verbs that change nothing, for many at once."""

    def __init__(self, system: System, one: One) -> None:
        self._system = system
        self._one = one

    async def find(self, sought: Sequence[Sought]) -> list[Frozen | None]:
        """What each would find alone."""
        most = self._system.limits.max_rows
        return await self._all(lambda tables: find_together(tables, sought, most), len(sought))

    async def export(self, shown: Sequence[Shown]) -> list[Export | None]:
        """What each would be shown alone."""
        name = self._system.system
        return await self._all(lambda tables: show_together(tables, name, shown, tables.held), len(shown))

    async def _all(self, look: Callable[[Tables], Awaitable[list[T | None]]], people: int) -> list[T | None]:
        try:
            return await self._one.steadily(look)
        except EXPECTED:
            return [None] * people
