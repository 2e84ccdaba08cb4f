"""How an attempt at a system ended: a closed set of outcomes, and the receipt that proves a done one.

All of it is JSON-able and holds no identity: counts, times, grounds, digests. A reason is written by us,
never copied from an error that may quote a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeAlias

from shared.canonical import canonical_json, instant, sha256_hex

Json: TypeAlias = dict[str, Any]
DriftProblem: TypeAlias = Literal[
    "missing",
    "unmapped",
    "no_primary_key",
    "wrong_type",
    "no_way_out",
    "no_transactions",
    "closed",
    "no_json",
]
NeedKind: TypeAlias = Literal["credentials", "schema", "refused", "unbounded", "manual"]


@dataclass(frozen=True, slots=True)
class Retained:
    """Rows kept on a stated legal ground: the exemption's id in the policy data, for example `105(d)(8)`."""

    exemption: str
    count: int


@dataclass(frozen=True, slots=True)
class DatasetCount:
    """What happened to the subject's rows of one table."""

    dataset: str
    erased: int = 0
    deidentified: int = 0
    corrected: int = 0
    exported: int = 0
    retained: tuple[Retained, ...] = ()

    def to_json(self) -> Json:
        return {
            "dataset": self.dataset,
            "erased": self.erased,
            "deidentified": self.deidentified,
            "corrected": self.corrected,
            "exported": self.exported,
            "retained": [{"exemption": kept.exemption, "count": kept.count} for kept in self.retained],
        }

    @classmethod
    def from_json(cls, data: Json) -> "DatasetCount":
        retained = tuple(Retained(**kept) for kept in data["retained"])
        return cls(**{**data, "retained": retained})


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof from a system that a task was done: counts and times; the digest covers all the rest.

    `backups_until` is the last day on which a backup of before may still hold what was erased.
    """

    system: str
    datasets: tuple[DatasetCount, ...]
    performed_at: datetime
    cut_off: datetime
    digest: str = ""
    backups_until: date | None = None

    def sealed(self) -> "Receipt":
        return replace(self, digest=sha256_hex(canonical_json(self._body())))

    def is_intact(self) -> bool:
        return self.digest == self.sealed().digest

    def to_json(self) -> Json:
        return {**self._body(), "digest": self.digest}

    @classmethod
    def from_json(cls, data: Json) -> "Receipt":
        return cls(
            system=data["system"],
            datasets=tuple(DatasetCount.from_json(count) for count in data["datasets"]),
            performed_at=datetime.fromisoformat(data["performed_at"]),
            cut_off=datetime.fromisoformat(data["cut_off"]),
            digest=data["digest"],
            backups_until=date.fromisoformat(until) if (until := data.get("backups_until")) else None,
        )

    def _body(self) -> Json:
        # Left out where nothing is pending: the digests of all other receipts stay what they were.
        pending = {"backups_until": self.backups_until.isoformat()} if self.backups_until else {}
        return {
            **pending,
            "system": self.system,
            "datasets": [count.to_json() for count in self.datasets],
            "performed_at": instant(self.performed_at),
            "cut_off": instant(self.cut_off),
        }


@dataclass(frozen=True, slots=True)
class Done:
    """The system did it, and this is its receipt."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Nothing:
    """There was nothing to do, for example because no row is held."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Nothing was done; the same may be asked again after a while.

    `at_work` says that the system is well and makes what was asked for: it is no failure of its lane's.
    """

    after: timedelta
    reason: str
    at_work: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """Nothing was done, and asking again does not help until a person has acted."""

    kind: NeedKind
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """Work that a system has taken on and does in its own time: its name for it, and since when."""

    id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may or may not have been done: prove it before anything is sent again.

    `look_again` says that the work goes on and when to look; without it the end is simply not known. `jobs` are
    remembered for the proof.
    """

    reason: str
    jobs: tuple[Job, ...] = ()
    look_again: timedelta | None = None


Outcome: TypeAlias = Done | Nothing | Retry | NeedsPerson | Ambiguous


def outcome_to_json(outcome: Outcome) -> Json:
    match outcome:
        case Done(receipt):
            return {"outcome": "done", "receipt": receipt.to_json()}
        case Nothing(reason):
            return {"outcome": "nothing", "reason": reason}
        case Retry(after, reason):
            return {"outcome": "retry", "after_seconds": after.total_seconds(), "reason": reason}
        case NeedsPerson(kind, reason):
            return {"outcome": "needs_person", "kind": kind, "reason": reason}
        case Ambiguous(reason):
            return {"outcome": "ambiguous", "reason": reason}


def outcome_from_json(data: Json) -> Outcome:
    match data:
        case {"outcome": "done", "receipt": receipt}:
            return Done(Receipt.from_json(receipt))
        case {"outcome": "nothing", "reason": reason}:
            return Nothing(reason)
        case {"outcome": "retry", "after_seconds": seconds, "reason": reason}:
            return Retry(timedelta(seconds=seconds), reason)
        case {"outcome": "needs_person", "kind": kind, "reason": reason}:
            return NeedsPerson(kind, reason)
        case {"outcome": "ambiguous", "reason": reason}:
            return Ambiguous(reason)
    raise ValueError(f"not an outcome: {data.get('outcome')!r}")


@dataclass(frozen=True, slots=True)
class Gone:
    """Read back: nothing is left that had to go; `checked` counts the ids looked up, by table."""

    checked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StillPresent:
    """Read back: so many rows are still there or still unchanged."""

    count: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """It could not be read back now; `look_again` says that the system is at work on it, and when to look."""

    reason: str
    look_again: timedelta | None = None


Proof: TypeAlias = Gone | StillPresent | Unknown
