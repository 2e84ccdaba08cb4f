"""The tables below one address."""

import asyncio
from collections.abc import Iterator, Mapping

from services.fulfillment.adapters.delta.places import files_of
from services.fulfillment.adapters.delta.tables import LakeTable
from services.fulfillment.datamap.disputes import notes_of
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.spelling import PERSONAL_NAME
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import CheckReport, Drift
from services.fulfillment.rowwise.store import StoreFailure


class DeltaStore:
    """A folder or a bucket of Delta tables."""

    def __init__(self, system: System, folders: Mapping[str, str]) -> None:
        self._system = system
        self._folders = folders

    @property
    def datamap(self) -> DataMap:
        return self._system.datamap

    def __getitem__(self, name: str) -> LakeTable:
        collection = self.datamap.collections[name]
        most = collection.max_matches or self._system.limits.max_matches
        return LakeTable(collection, files_of(self._system, self._folders[name]), most)

    async def inspect(self) -> CheckReport:
        names = sorted(self.datamap.collections)
        drift = await asyncio.to_thread(lambda: [each for name in names for each in self._drift(name)])
        return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=notes_of(self.datamap))

    async def close(self) -> None:
        """Nothing is held between two verbs."""

    def _drift(self, name: str) -> Iterator[Drift]:
        try:
            there = self[name].columns()
        except StoreFailure as failure:
            if failure.meaning != "schema":
                raise
            yield Drift(name, "", "missing")
            return
        known = set(self.datamap.collections[name].fields)
        yield from (Drift(name, column, "missing") for column in sorted(known - there))
        forgotten = sorted(column for column in there - known if PERSONAL_NAME.search(column))
        yield from (Drift(name, column, "unmapped") for column in forgotten)
