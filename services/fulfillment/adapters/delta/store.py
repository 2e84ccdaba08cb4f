"""The tables below one address."""

import asyncio
from collections.abc import Mapping

from services.fulfillment.adapters.delta.places import files_of
from services.fulfillment.adapters.delta.tables import LakeTable
from services.fulfillment.columnar.schemas import lacks, paths_in, several
from services.fulfillment.datamap.disputes import notes_of
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import CheckReport, Drift
from services.fulfillment.rowwise.completeness import notes_of_several, personal_names
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
        found = await asyncio.to_thread(lambda: [self._look(name) for name in names])
        notes = [*notes_of(self.datamap), *(note for _, notes in found for note in notes)]
        drift = tuple(each for drift, _ in found for each in drift)
        return CheckReport(reachable=True, credentials=True, drift=drift, notes=tuple(notes))

    async def close(self) -> None:
        """Nothing is held between two verbs."""

    def _look(self, name: str) -> tuple[list[Drift], list[str]]:
        """What differs from the map, and what a person should know."""
        try:
            schema = self[name].schema()
        except StoreFailure as failure:
            if failure.meaning != "schema":
                raise
            return [Drift(name, "", "missing")], []
        fields = self.datamap.collections[name].fields
        lacking = sorted(lacks(schema, fields.values()).items())
        forgotten = personal_names(paths_in(schema), set(fields))
        drift = [Drift(name, column, lack) for column, lack in lacking]
        drift += [Drift(name, column, "unmapped") for column in forgotten]
        return drift, notes_of_several(name, several(schema, fields.values()))
