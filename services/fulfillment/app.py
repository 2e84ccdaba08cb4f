"""Puts the fulfillment service together; the only place that knows which adapter stands behind a system."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter

from services.fulfillment import holding
from services.fulfillment.acknowledging import Acknowledging
from services.fulfillment.acting import ActHandler
from services.fulfillment.answer_files import AnswerFiles
from services.fulfillment.api import suppression_routes
from services.fulfillment.callback_api import callback_routes
from services.fulfillment.connected import (
    Connected,
    Systems,
)
from services.fulfillment.connecting import connect
from services.fulfillment.domain import Aftercare, Catalogue, FulfillmentCase, FulfillmentDomain, SystemEntry
from services.fulfillment.domain.aftercare import RECHECK, SUPPRESS
from services.fulfillment.duplicates import same_subject
from services.fulfillment.earlier import Earlier
from services.fulfillment.exporting import ExportHandler
from services.fulfillment.frozen_keys import FrozenKeys
from services.fulfillment.holding import HoldRegister, KnownBy
from services.fulfillment.holds_api import hold_routes
from services.fulfillment.joining import JoinHandler
from services.fulfillment.lanes import lanes_of
from services.fulfillment.limited import Limited, limited_rights
from services.fulfillment.matching import MatchHandler
from services.fulfillment.packaging import PackageHandler
from services.fulfillment.rechecking import RecheckHandler
from services.fulfillment.reviewing import ReviewHandler
from services.fulfillment.settings import FulfillmentSettings
from services.fulfillment.storage import FulfillmentStore
from services.fulfillment.subjects import Subjects
from services.fulfillment.suppressing import SuppressHandler
from services.fulfillment.suppression import SuppressionRegister, suppressions
from services.fulfillment.telling import TellHandler
from services.fulfillment.vendors.classification import Classified, classify
from services.fulfillment.vendors.files import OverKafka, ThroughSystem, Vendor, VendorError, load_vendors
from services.fulfillment.vendors.remembered import over_kafka, remember, with_what_was
from services.fulfillment.vendors.spans import spans_of
from shared.clock import Clock
from shared.events.topics import ACKNOWLEDGEMENTS
from shared.hosting import Resources, ServiceParts
from shared.machine.decision import Message
from shared.machine.ports import Transaction
from shared.policy import load_regime, regime_names
from shared.tasks.work import Handler
from shared.vault.vault import Vault

log = structlog.get_logger("fulfillment")


async def build(resources: Resources) -> ServiceParts[FulfillmentCase]:
    """The service over the systems that the settings' folder describes.

    Raises:
        MapError: a system or its map cannot be used, or there is none; every problem is named.
    """
    settings = FulfillmentSettings()
    connected = connect(settings.systems, resources.settings.home, resources.clock)
    return assemble(resources, connected, await told_over_kafka(resources, settings.vendors, connected))


def assemble(
    resources: Resources, connected: Iterable[Connected], vendors: Iterable[Classified] = ()
) -> ServiceParts[FulfillmentCase]:
    """The service over these systems, telling these vendors."""
    connected, vendors = tuple(connected), tuple(vendors)
    catalogue = Catalogue([*(each.entry for each in connected), *map(entry_of_vendor, vendors)])
    for name in catalogue.out_of_reach():
        log.warning("system.out_of_reach", system=name)
    systems = Systems(connected)
    limited = Limited(resources.pool, limited_rights())
    store, files = FulfillmentStore(resources.pool), AnswerFiles(resources.settings.packages_folder)
    return ServiceParts(
        domain=FulfillmentDomain(catalogue, aftercare()),
        prepare=Acknowledging((each.vendor for each in vendors), resources.keys).prepare,
        facts=partial(_found_in_the_transaction, limited),
        beside=holding.taken,
        standing=holding.standing,
        handlers=handlers(resources, systems, store, files, vendors),
        routes=lambda batcher: (
            suppression_routes(SuppressionRegister(resources.pool)),
            _callbacks(connected, store, resources.clock),
            hold_routes(HoldRegister(resources.pool), batcher),
        ),
        chores=(*_chores(resources, files, store), limited.forget),
        closers=(systems.close,),
        lanes=lanes_of((each.entry.name, each.lane) for each in connected),
        topics=[ACKNOWLEDGEMENTS.of(each.vendor.vendor) for each in vendors],
    )


def _callbacks(connected: Iterable[Connected], store: FulfillmentStore, clock: Clock) -> APIRouter:
    receivers = {one.entry.name: one.receives for one in connected if one.receives}
    return callback_routes(receivers, lambda system: store.look_soon(system, clock.now()))


def handlers(
    resources: Resources,
    systems: Systems,
    store: FulfillmentStore,
    files: AnswerFiles,
    vendors: Iterable[Classified],
) -> dict[str, Handler]:
    """Who does which kind of task."""
    vault, clock = resources.vault, resources.clock
    subjects = Subjects(store, vault)
    pieces = FrozenKeys(resources.pool, vault)
    earlier, known = Earlier(store, subjects, vault, pieces), KnownBy(resources.keys)
    return {
        "act": ActHandler(systems, subjects, vault, clock, earlier=earlier, known=known, pieces=pieces),
        "export": ExportHandler(systems, subjects, (vault, files), clock),
        "match": MatchHandler(systems, subjects, vault),
        "package": PackageHandler(subjects, (vault, files), resources.keys.answers(), clock),
        "join": JoinHandler(store),
        "review": ReviewHandler(),
        RECHECK: RecheckHandler(systems, earlier),
        SUPPRESS: SuppressHandler(subjects, store, resources.keys),
        "tell": TellHandler((each.vendor for each in vendors), subjects, store, resources.keys, clock),
    }


def aftercare() -> Aftercare:
    """When each regime's policy wants deletions looked at again."""
    rules = {name: load_regime(name).rules for name in regime_names()}
    return Aftercare({name: tuple(one.rechecks.looks()) for name, one in rules.items() if one.rechecks})


async def _found_in_the_transaction(
    limited: Limited, transaction: Transaction, messages: Sequence[Message]
) -> dict[UUID, Any]:
    """Who was answered before, who asks for the same now, and who is suppressed from now on."""
    before = await limited.answered_before(transaction, messages)
    now = await same_subject(transaction, messages)
    both = {one: replace(before[one], first=first) for one, first in now.items() if one in before}
    return {**before, **now, **both, **await suppressions(transaction, messages)}


async def told_over_kafka(
    resources: Resources, folder: Path | None, connected: Iterable[Connected]
) -> tuple[Classified, ...]:
    """The vendors that are told over Kafka: by what they are today, and by what they were.

    Raises:
        VendorError: a file cannot be used, or a vendor's system is not connected.
    """
    if folder is None:
        log.warning("vendors.untold", remedy="set HABEAS_FULFILLMENT_VENDORS to the folder of vendors")
        return ()
    vendors = load_vendors(folder)
    systems = {each.entry.name for each in connected}
    problems = tuple(problem for one in vendors for problem in _unreachable(one, systems))
    if problems:
        raise VendorError(problems)
    now = resources.clock.now()
    before = await remember(resources.pool, vendors, now)
    told = [classify(one, now.date()) for one in vendors if isinstance(one.told, OverKafka)]
    reached = systems | {one.vendor for one in vendors if isinstance(one.told, ThroughSystem)}
    found = with_what_was(told, over_kafka(before, reached), now.date())
    for name in sorted({one.vendor.vendor for one in found} - {one.vendor for one in vendors}):
        log.warning("vendor.still_told", vendor=name, remedy="put its file back, with ended_on and erased")
    return found


def _unreachable(vendor: Vendor, systems: set[str]) -> Iterator[str]:
    if vendor.vendor in systems:
        yield f"{vendor.vendor}: there is a system of that name; give the vendor another"
    if isinstance(vendor.told, ThroughSystem) and vendor.told.system not in systems:
        yield f"{vendor.vendor}: told: the system {vendor.told.system} is not connected"


def entry_of_vendor(classified: Classified) -> SystemEntry:
    """What the rules know of a vendor."""
    told = classified.vendor.told
    kinds = told.identifiers if isinstance(told, OverKafka) else ()
    return SystemEntry(
        name=classified.vendor.vendor,
        business=classified.vendor.business,
        rights=frozenset(),
        finds_by=frozenset(one.kind for one in kinds),
        told=True,
        title=classified.vendor.title,
        spans=(*spans_of(classified.vendor), *classified.earlier),
    )


def _chores(
    resources: Resources, files: AnswerFiles, store: FulfillmentStore
) -> Iterable[Callable[[datetime], Awaitable[None]]]:
    vault = resources.vault
    return partial(_remove_forgotten, files, store, vault), FrozenKeys(resources.pool, vault).forget


async def _remove_forgotten(files: AnswerFiles, store: FulfillmentStore, vault: Vault, now: datetime) -> None:
    """Answers that nobody can open any more only fill the disk."""
    del now
    removed = await files.remove_forgotten(store.requests_of, vault)
    if removed:
        log.info("answers.forgot", count=removed)
