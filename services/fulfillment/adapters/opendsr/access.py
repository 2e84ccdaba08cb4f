"""Ask a processor for a copy of what it holds: an order like an erasure, whose end says where the copy lies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from services.fulfillment.adapters.opendsr.copies import (
    UnreadableCopyError,
    datasets_of,
    is_own,
    refuse_elsewhere,
)
from services.fulfillment.adapters.opendsr.orders import UNDER_WAY, Orders, orders_of, spelt_state
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import Export, ExportedDataset, Frozen, NeedsPerson, Retry
from services.fulfillment.told.calling import NotWell
from services.fulfillment.told.subjects import identifiers

TYPES: Final = ("access", "portability")
REQUEST_TYPE: Final = "request_type"
HOSTS: Final = "results_hosts"
MOST_MB: Final = "results_max_mb"
LARGEST_MB: Final = 1000
A_MB: Final = 1_000_000


class Copies:
    """The copies that one processor gives."""

    def __init__(self, system: System, orders: Orders) -> None:
        self._system = system
        self._orders = orders

    async def export(self, frozen: Frozen, cut_off: datetime) -> Export | Retry | NeedsPerson:
        """Everybody's copy; until the last of them is ready, the task looks again later, and orders none twice."""
        try:
            found = await self._all(frozen, cut_off)
        except NotWell as failure:
            if failure.meaning == "unknown":
                # Nothing is destroyed by an order: its state tells next time whether it was given.
                return Retry(self._orders.retry_after, failure.reason)
            outcome = failure.outcome(self._orders.retry_after)
            assert isinstance(outcome, Retry | NeedsPerson)  # noqa: S101 - the only other one is for `unknown`
            return outcome
        except UnreadableCopyError as error:
            return NeedsPerson("schema", str(error))
        except SecretMissingError as missing:
            return NeedsPerson("credentials", str(missing))
        if isinstance(found, Retry):
            return found
        held = categories_held(self._system.datamap, frozen) if found else ()
        return Export(self._system.system, tuple(found), held)

    async def _all(self, frozen: Frozen, cut_off: datetime) -> list[ExportedDataset] | Retry:
        kind = str(self._system.settings.get(REQUEST_TYPE, TYPES[0]))
        orders = orders_of("access", frozen, cut_off)
        stands = [
            await self._ordered(known, order, kind)
            for known, order in zip(identifiers(frozen), orders, strict=True)
        ]
        states = {spelt_state(each) for each in stands}
        if states & UNDER_WAY:
            return Retry(self._orders.look_again, "the processor is at work on the copy", at_work=True)
        if states != {"completed"}:
            raise NotWell("refused", "the processor has canceled it, or says what OpenDSR does not know")
        return [dataset for each in stands for dataset in await self._copy(each)]

    async def _ordered(self, known: Mapping[str, str], order: str, kind: str) -> Mapping[str, Any]:
        """How an order stands; one that the processor does not know is given."""
        stands = await self._orders.status(order)
        if stands is not None:
            return stands
        await self._orders.give(known, order, kind)
        return {"request_status": "pending"}

    async def _copy(self, stands: Mapping[str, Any]) -> list[ExportedDataset]:
        address = stands.get("results_url")
        if not address:
            if stands.get("results_count"):
                raise NotWell(
                    "refused", "the processor found something, and says nowhere where the copy lies"
                )
            return []
        own, hosts = self._system.address(), hosts_of(self._system)
        refuse_elsewhere(str(address), own, hosts)
        most = most_bytes(self._system)
        try:
            said = await self._orders.fetch(str(address), most, with_credentials=is_own(str(address), own))
        except NotWell as failure:
            if failure.meaning == "absent":
                raise NotWell(
                    "refused", "the processor gives the copy out no more; ask it for another"
                ) from None
            raise
        return datasets_of(said.raw, self._system.datamap, most=most)


def hosts_of(system: System) -> list[str]:
    """The hosts beside its own from which a processor may have copies fetched."""
    return [host.strip() for host in str(system.settings.get(HOSTS, "")).split(",") if host.strip()]


def most_bytes(system: System) -> int:
    """How large a copy may be, also when unpacked."""
    return int(float(system.settings.get(MOST_MB, 50)) * A_MB)


def problems_of(system: System) -> tuple[str, ...]:
    """What is wrong with the settings that are about copies."""
    found = []
    if system.settings.get(REQUEST_TYPE, TYPES[0]) not in TYPES:
        found.append(f"{REQUEST_TYPE}: access or portability")
    if any(set(host) & set("/:@* \\") for host in hosts_of(system)):
        found.append(f"{HOSTS}: hosts alone, with commas between them, as in files.processor.example")
    try:
        bad = not 0 < most_bytes(system) <= LARGEST_MB * A_MB
    except ValueError:
        bad = True
    if bad:
        found.append(f"{MOST_MB}: a number of megabytes, {LARGEST_MB} at most")
    return tuple(f"{system.system}: settings.{problem}" for problem in found)
