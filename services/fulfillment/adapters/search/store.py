"""The collections of one store."""

from collections.abc import Mapping

from services.fulfillment.adapters.search.client import Client
from services.fulfillment.adapters.search.indices import IndexTable
from services.fulfillment.datamap.disputes import notes_of
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import CheckReport, Drift
from services.fulfillment.rowwise.completeness import complete_in, drift_of
from services.fulfillment.rowwise.store import StoreFailure

SAMPLE = 200


class SearchStore:
    """One Elasticsearch or OpenSearch."""

    def __init__(self, system: System, indices: Mapping[str, str]) -> None:
        self._system = system
        self._indices = indices
        self._complete = complete_in(system)
        self._client = Client(system)

    @property
    def datamap(self) -> DataMap:
        return self._system.datamap

    def __getitem__(self, name: str) -> IndexTable:
        collection = self.datamap.collections[name]
        most = collection.max_matches or self._system.limits.max_matches
        complete = name in self._complete
        return IndexTable(collection, self._indices[name], (self._client, most), complete=complete)

    async def inspect(self) -> CheckReport:
        await self._client.ask("/")
        drift = [each for name in sorted(self.datamap.collections) for each in await self._drift(name)]
        return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=notes_of(self.datamap))

    async def close(self) -> None:
        await self._client.close()

    async def _drift(self, name: str) -> list[Drift]:
        try:
            documents = await self[name].sample(SAMPLE)
        except StoreFailure as failure:
            if failure.meaning == "schema":
                return [Drift(name, "", "missing")]
            raise
        return list(drift_of(self.datamap.collections[name], documents, complete=name in self._complete))
