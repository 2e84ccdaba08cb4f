"""What services read of their own tables outside of any batch, without a database: proven by tests/contracts."""

from collections.abc import Sequence
from uuid import UUID

from services.fulfillment.domain import FulfillmentCase
from shared.machine.decision import Kept
from tests.support.memory_store import MemoryTables


class MemoryReading:
    """Kept fields as fulfillment and as intake ask for them, and how a request of fulfillment ended."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables

    async def of(self, request_id: UUID) -> Sequence[Kept]:
        return [one for (owner, _), one in self._tables.kept.items() if owner == request_id]

    async def kept(self, request_id: UUID, names: Sequence[str]) -> dict[str, Kept]:
        return {one.name: one for one in await self.of(request_id) if one.name in names}

    async def resolution_of(self, request_id: UUID) -> str | None:
        row = self._tables.cases.get(request_id)
        case = FulfillmentCase.model_validate_json(row.body) if row and row.body else None
        return case.resolution if case else None
