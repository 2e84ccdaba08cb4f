"""The port through which fulfillment reaches a system: what an adapter is asked, and what it hands over.

Nothing here may show a person's values by accident: a subject's repr names its seeds only, frozen ids are a
system's own row keys, and an export hides its rows from repr.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from services.fulfillment.frozen import Frozen, Key, KeyPart
from services.fulfillment.outcomes import (
    Ambiguous,
    DatasetCount,
    Done,
    DriftProblem,
    Gone,
    Job,
    Json,
    NeedKind,
    NeedsPerson,
    Nothing,
    Outcome,
    Proof,
    Receipt,
    Retained,
    Retry,
    StillPresent,
    Unknown,
    outcome_from_json,
    outcome_to_json,
)

__all__ = [
    "RIGHTS_OF_OTHERS",
    "Adapter",
    "Ambiguous",
    "CannotListError",
    "Capabilities",
    "CategoryHeld",
    "CheckReport",
    "DatasetCount",
    "Done",
    "Drift",
    "Export",
    "ExportedDataset",
    "Frozen",
    "Gone",
    "Job",
    "Json",
    "Key",
    "KeyPart",
    "NeedKind",
    "NeedsPerson",
    "Nothing",
    "Outcome",
    "Proof",
    "Receipt",
    "Retained",
    "Retry",
    "StillPresent",
    "Subject",
    "TakesRows",
    "Unknown",
    "Withheld",
    "outcome_from_json",
    "outcome_to_json",
]

RIGHTS_OF_OTHERS = "rights_of_others"
"""The ground on which a row that is also somebody else's is kept: Civ. Code 1798.145(k)."""


class CannotListError(RuntimeError):
    """Who is in a system could not be read to the end; the text says why, and names nobody."""


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """Whom a system is searched for: identity seeds (email, phone, customer_id ...) in plain text."""

    seeds: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Subject({', '.join(sorted(self.seeds))})"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the runner may rely on when an attempt ends without an answer.

    `wholly` means that an act is done altogether or not at all; otherwise a later attempt finishes what an earlier
    one began, and the receipt counts what both did. With `most_wholly`, that is so for no more rows than these.
    Without `looks_up` a system cannot say who is in it: it is told, and not asked what it knows.
    """

    idempotency_key: bool
    verify: bool
    naturally_idempotent: bool
    bounded_by_cutoff: bool
    wholly: bool = True
    most_wholly: int | None = None
    looks_up: bool = True

    def does_wholly(self, frozen: Frozen) -> bool:
        """Whether an act on these rows is done altogether or not at all."""
        return self.wholly and (self.most_wholly is None or frozen.size() <= self.most_wholly)


@dataclass(frozen=True, slots=True)
class Drift:
    """The system no longer looks as its map says; `column` is empty where the whole table is meant."""

    table: str
    column: str
    problem: DriftProblem


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The state of a system before any person is looked up in it."""

    reachable: bool
    credentials: bool
    drift: tuple[Drift, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """An unmapped column is an alarm for a person, not a reason to stop."""
        return self.reachable and self.credentials and all(d.problem == "unmapped" for d in self.drift)


@dataclass(frozen=True, slots=True)
class CategoryHeld:
    """One statutory category of personal information that is held, as a categories answer must list it."""

    category: str
    sources: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    disclosed_to: tuple[str, ...] = ()
    sold_or_shared_to: tuple[str, ...] = ()

    def to_json(self) -> Json:
        return {
            "category": self.category,
            "sources": list(self.sources),
            "purposes": list(self.purposes),
            "disclosed_to": list(self.disclosed_to),
            "sold_or_shared_to": list(self.sold_or_shared_to),
        }


@dataclass(frozen=True, slots=True)
class Withheld:
    """A kind of value that is held but never shown (11 CCR 7024(d)): described instead."""

    column: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class ExportedDataset:
    """The subject's rows of one table, with the statutory category of each column.

    `taken` counts the rows that were handed over while they were read; they are not in `rows`.
    """

    dataset: str
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)
    categories: Mapping[str, str]
    withheld: tuple[Withheld, ...] = ()
    taken: int = 0

    @property
    def count(self) -> int:
        return self.taken + len(self.rows)


@dataclass(frozen=True, slots=True)
class Export:
    """What one system contributes to an answer."""

    system: str
    datasets: tuple[ExportedDataset, ...]
    categories: tuple[CategoryHeld, ...]

    def counts(self) -> tuple[DatasetCount, ...]:
        return tuple(DatasetCount(data.dataset, exported=data.count) for data in self.datasets)

    @property
    def is_empty(self) -> bool:
        held = any(data.count or data.withheld for data in self.datasets)
        return not self.categories and not held


class TakesRows(Protocol):
    """Whoever wants rows as they are read, so that a person of a million rows fits."""

    async def take(self, dataset: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Some more rows of one table."""
        ...


class Adapter(Protocol):
    """How one system is reached: stateless but for its pool, and never retrying across attempts."""

    @property
    def capabilities(self) -> Capabilities:
        """What the runner may rely on."""
        ...

    async def check(self) -> CheckReport:
        """Say whether the system is reachable, lets us in and still looks as its map says."""
        ...

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        """Return the ids of everything held on the subject that was created no later than the cut-off."""
        ...

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        """Read the frozen rows (`specific`) or only the categories held; 7024(d) values are never read.

        An adapter that reads piece by piece may hand rows to `taking` as they come, and leave them out of the export;
        if it fails later, what was taken counts for nothing.
        """
        ...

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        """Do what the right asks to the frozen rows and no others, wholly or not at all."""
        ...

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        """Read back, apart from the act, whether the frozen rows are as the right demands."""
        ...

    async def close(self) -> None:
        """Give back every connection."""
        ...
