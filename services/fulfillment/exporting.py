"""The export task: one system's part of an answer to know, sealed on the way out and filed.

Nothing is destroyed, so a repeat after a crash simply reads again and replaces the file. All that is held is
shown, however old, unless the person asked for certain days (Civ. Code 1798.130(a)(2)(B), 11 CCR 7024(h)).
"""

from datetime import UTC, date, datetime, time, timedelta

from services.fulfillment import results
from services.fulfillment.acting import ADAPTER_SECONDS
from services.fulfillment.answer_files import AnswerFiles
from services.fulfillment.answer_parts import PartWriter
from services.fulfillment.answer_seal import SealedAs, SealedWriter
from services.fulfillment.connected import Connected, Systems
from services.fulfillment.finding import find
from services.fulfillment.lanes import ATTEMPT
from services.fulfillment.ports import Export, Frozen, NeedsPerson, Receipt
from services.fulfillment.progress import timed
from services.fulfillment.second_net import Net
from services.fulfillment.subjects import Subjects, Wanted
from shared.clock import Clock
from shared.policy.rights import Right
from shared.tasks.work import Answer, Calling, Claimed
from shared.vault.vault import Vault

WIDEST_OFFSET = timedelta(hours=14)
"""A date without a zone is taken as long as it lasts anywhere on Earth: too much is no fault, too little is."""


class ExportHandler:
    """Reads what one system holds, or only the categories of it."""

    def __init__(
        self, systems: Systems, subjects: Subjects, sealing: tuple[Vault, AnswerFiles], clock: Clock
    ) -> None:
        self._systems = systems
        self._subjects = subjects
        self._vault, self._files = sealing
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Find, export, seal, file; nothing is called that changes anything."""
        del calling
        system = self._systems.get(task.body["system"])
        if system is None:
            return results.person("schema", "the system is not connected any more")
        ATTEMPT.set(task.task_id)
        wanted = await self._subjects.wanted(task.request_id, proved=task.body["proved"])
        if isinstance(wanted, NeedsPerson):
            return results.not_yet(wanted)
        async with timed(task, ADAPTER_SECONDS) as within:
            return await self._export(within, system, wanted)

    async def _export(self, task: Claimed, system: Connected, wanted: Wanted) -> Answer:
        until = _until(datetime.fromisoformat(task.body["cut_off"]), wanted.collected_to)
        found = await find(system.adapter, wanted, until)
        if not isinstance(found, Frozen):
            return results.not_yet(found)
        if found.is_empty:
            return results.nothing(system.entry.name)
        await task.goes_on()
        about = SealedAs(self._vault, task.request_id, task.task_id, "export")
        async with self._files.part(task.task_id) as writing:
            part = PartWriter(SealedWriter(about, writing), Net(_cleared(system)), task.goes_on)
            export = await system.adapter.export(
                found,
                cut_off=until,
                since=_since(wanted.collected_from),
                specific=task.body["right"] == Right.KNOW_SPECIFIC,
                taking=part,
            )
            if not isinstance(export, Export):
                return results.not_yet(export)
            if export.is_empty:
                return results.nothing(export.system)
            await part.finish(export, system.entry.title, system.words)
        if part.net.found:
            # A repeat replaces the file; until then no answer takes it in.
            return results.person("withheld", part.net.told())
        receipt = Receipt(export.system, export.counts(), self._clock.now(), until).sealed()
        return results.done(receipt, part_id=str(task.task_id))


def _cleared(system: Connected) -> frozenset[tuple[str, str]]:
    collections = system.datamap.collections.values()
    return frozenset(
        (c.name, f.name) for c in collections for f in c.fields.values() if f.cleared or f.identity
    )


def _since(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) - WIDEST_OFFSET if day else None


def _until(cut_off: datetime, day: date | None) -> datetime:
    if day is None:
        return cut_off
    return min(cut_off, datetime.combine(day, time(), UTC) + timedelta(days=1) + WIDEST_OFFSET)
