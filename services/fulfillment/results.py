"""What a task's end says: counts, digests and words of ours, never a row."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.fulfillment.datamap.disputes import to_change
from services.fulfillment.datamap.model import DataMap, MapCollection
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    DatasetCount,
    Frozen,
    NeedsPerson,
    Receipt,
    Retained,
    Retry,
)
from shared.events.fulfillment import Retention, SystemOutcome
from shared.tasks.work import Again, Answer, Finished

LONGEST = timedelta(minutes=15)


def backoff(attempts: int) -> timedelta:
    """How long to wait before looking again: doubling from two seconds, a quarter of an hour at most."""
    return min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST)


def not_yet(answer: Retry | NeedsPerson) -> Answer:
    """Nothing was done: try later by itself, or wait for a person."""
    if isinstance(answer, Retry):
        return Again(answer.after, answer.reason)
    return person(answer.kind, answer.reason)


def person(kind: str, reason: str) -> Finished:
    return Finished("needs_person", {"kind": kind, "reason": reason})


def nothing(system: str) -> Finished:
    return Finished(
        "done", {"outcome": SystemOutcome(system=system, outcome="nothing").model_dump(mode="json")}
    )


def done(receipt: Receipt, **more: Any) -> Finished:
    """The system's part is done; its receipt stays in the task's row, its digest travels."""
    outcome = outcome_of(receipt).model_dump(mode="json")
    return Finished("done", {"outcome": outcome, "receipt": receipt.to_json(), **more})


def outcome_of(receipt: Receipt) -> SystemOutcome:
    counts = receipt.datasets
    return SystemOutcome(
        system=receipt.system,
        outcome="done",
        receipt_digest=receipt.digest,
        erased=sum(count.erased for count in counts),
        deidentified=sum(count.deidentified for count in counts),
        corrected=sum(count.corrected for count in counts),
        exported=sum(count.exported for count in counts),
        backups_until=receipt.backups_until,
        retained=tuple(sorted(_retained(receipt), key=lambda each: (each.dataset, each.exemption))),
    )


def _retained(receipt: Receipt) -> Iterable[Retention]:
    for count in receipt.datasets:
        for kept in count.retained:
            yield Retention(dataset=count.dataset, exemption=kept.exemption, count=kept.count)


def with_backups(receipt: Receipt, days: int | None) -> Receipt:
    """The receipt, saying until when backups may still hold what was erased, where something was."""
    erased = any(count.erased or count.deidentified for count in receipt.datasets)
    if days is None or not erased:
        return receipt
    return replace(receipt, backups_until=receipt.performed_at.date() + timedelta(days=days)).sealed()


def receipt_by_read_back(
    system: str, datamap: DataMap, right: str, frozen: Frozen, times: tuple[datetime, datetime]
) -> Receipt:
    """The receipt of an act whose answer was lost but whose effect was proved: counts by ids and map.

    `times` are when it was proved and the cut-off. A crash must not turn what is retained into silence.
    """
    performed_at, cut_off = times
    counts = tuple(_counts(datamap, right, frozen))
    return Receipt(system, counts, performed_at=performed_at, cut_off=cut_off).sealed()


def _counts(datamap: DataMap, right: str, frozen: Frozen) -> Iterable[DatasetCount]:
    wrong = to_change(datamap, frozen.corrections)
    for name in sorted({*frozen.rows, *frozen.shared}):
        collection = datamap.collections.get(name)
        own, shared = len(frozen.rows.get(name, ())), len(frozen.shared.get(name, ()))
        if collection is None:
            continue
        count = _count(collection, right, own, shared)
        if count is not None and (right != "correct" or name in wrong):
            yield count


def _count(collection: MapCollection, right: str, own: int, shared: int) -> DatasetCount | None:
    match right:
        case "delete":
            return _deleted(collection, own, shared)
        case "correct":
            kept = (Retained(RIGHTS_OF_OTHERS, shared),) if shared else ()
            return DatasetCount(collection.name, corrected=own, retained=kept)
    return _flagged(collection, right, own + shared)


def _deleted(collection: MapCollection, own: int, shared: int) -> DatasetCount | None:
    retained = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
    retained += [Retained(exemption, own) for exemption in collection.exemptions if own]
    treated = {"erase": "erased", "deidentify": "deidentified"}.get(collection.treatment)
    if collection.treatment == "keep":
        return None
    counts = {treated: own} if treated else {}
    return DatasetCount(collection.name, retained=tuple(retained), **counts)


def _flagged(collection: MapCollection, right: str, count: int) -> DatasetCount | None:
    flag = collection.opt_out if right == "opt_out" else collection.limit
    return DatasetCount(collection.name, corrected=count) if flag else None
