"""The match task: what an identity source knows a person as, so that other systems can find them.

Its result holds the identifiers only as sealed text; kinds are named, values never. Values come from the rows
that the person's own identifiers lead to, and from no other row.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime

from services.fulfillment import results
from services.fulfillment.acting import ADAPTER_SECONDS
from services.fulfillment.connected import Connected, Systems
from services.fulfillment.datamap.model import DataMap, Place
from services.fulfillment.finding import find
from services.fulfillment.ports import Export, Frozen, NeedsPerson, Retry
from services.fulfillment.subjects import Subjects, Wanted
from shared.tasks.work import Answer, Calling, Claimed, Finished
from shared.vault.vault import Vault

MOST_VALUES = 20
"""More identifiers of one kind than this are not one person's; a person has to look."""


class MatchHandler:
    """Reads identifiers from one identity source."""

    def __init__(self, systems: Systems, subjects: Subjects, vault: Vault) -> None:
        self._systems = systems
        self._subjects = subjects
        self._vault = vault

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Find the person in the source and seal what it knows them as."""
        del calling
        system = self._systems.get(task.body["system"])
        if system is None:
            return results.person("schema", "the system is not connected any more")
        wanted = await self._subjects.wanted(task.request_id, proved=task.body["proved"])
        if isinstance(wanted, NeedsPerson):
            return results.not_yet(wanted)
        async with asyncio.timeout(ADAPTER_SECONDS):
            seeds = await self._seeds(task, system, wanted)
        if not isinstance(seeds, dict):
            return results.not_yet(seeds)
        return await self._sealed(task, seeds)

    async def _seeds(
        self, task: Claimed, system: Connected, wanted: Wanted
    ) -> dict[str, list[str]] | Retry | NeedsPerson:
        cut_off = datetime.fromisoformat(task.body["cut_off"])
        found = await find(system.adapter, wanted, cut_off)
        if not isinstance(found, Frozen) or found.is_empty:
            return {} if isinstance(found, Frozen) else found
        export = await system.adapter.export(found, cut_off=cut_off)
        if not isinstance(export, Export):
            return export
        seeds = {kind: sorted(set(_values(system.datamap, export, kind))) for kind in task.body["kinds"]}
        if any(len(values) > MOST_VALUES for values in seeds.values()):
            return NeedsPerson("unbounded", "more identifiers were found than one person can have")
        return {kind: values for kind, values in seeds.items() if values}

    async def _sealed(self, task: Claimed, seeds: dict[str, list[str]]) -> Answer:
        if not seeds:
            return Finished("done", {"kinds": []})
        await self._vault.prefetch([task.request_id])
        plain = json.dumps(seeds, ensure_ascii=False).encode()
        sealed = self._vault.seal(task.request_id, task.task_id, "seeds", plain)
        return Finished("done", {"kinds": sorted(seeds), "seeds": sealed})


def _values(datamap: DataMap, export: Export, kind: str) -> Iterator[str]:
    places = set(_places(datamap, kind))
    for data in export.datasets:
        for column in {place.field for place in places if place.collection == data.dataset}:
            yield from (str(row[column]) for row in data.rows if row.get(column) not in {None, ""})


def _places(datamap: DataMap, kind: str) -> Iterator[Place]:
    """Where a kind stands: the map's identities of that name, or the column that another system's map names."""
    yield from (place for name, place in datamap.identities() if name == kind)
    dataset, _, column = kind.partition(".")
    if dataset == datamap.key and column:
        collection, _, field = column.partition(".")
        yield Place(collection, field)
