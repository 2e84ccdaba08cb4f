"""A system in memory, at once and with a ledger of every call: for tests and for the bench, never shipped.

It keeps the promises of `ports.Adapter`: bound to ids and cut-off, wholly or not at all, nothing the second time.
`troubles` makes the next calls of a verb fail as real systems do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from services.fulfillment.connected import Connected, kinds_found_by, kinds_known, rights_of
from services.fulfillment.datamap.additions import Flag, Retention
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.model import DataMap, MapCollection, MapField
from services.fulfillment.domain import SystemEntry
from services.fulfillment.ports import (
    RIGHTS_OF_OTHERS,
    Capabilities,
    CheckReport,
    DatasetCount,
    Done,
    Export,
    ExportedDataset,
    Frozen,
    Gone,
    Key,
    NeedsPerson,
    Nothing,
    Outcome,
    Proof,
    Receipt,
    Retained,
    Retry,
    StillPresent,
    Subject,
    TakesRows,
    Withheld,
)

BEFORE = datetime(2025, 6, 1, tzinfo=UTC)
Trouble = Callable[[], Outcome | Proof | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its table and id, the identifiers that lead to it, and what it holds."""

    table: str
    key: int
    seeds: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime = BEFORE
    shared: bool = False
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A line of the ledger: who was asked what, under which key, and how many rows it changed."""

    verb: str
    right: str = ""
    idempotency_key: str = ""
    changed: int = 0


class MemorySystem:
    """An Adapter over rows in a list."""

    capabilities = Capabilities(
        idempotency_key=False, verify=True, naturally_idempotent=True, bounded_by_cutoff=True
    )

    def __init__(self, name: str, datamap: DataMap, rows: Iterable[Row] = ()) -> None:
        self.name = name
        self.datamap = datamap
        self.rows = list(rows)
        self.ledger: list[Call] = []
        self.before: dict[str, list[Trouble]] = defaultdict(list)
        self.after: dict[str, list[Trouble]] = defaultdict(list)

    def effective(self, right: str = "delete") -> list[Call]:
        """The calls that changed something."""
        return [call for call in self.ledger if call.verb == "act" and call.right == right and call.changed]

    async def check(self) -> CheckReport:
        return CheckReport(reachable=True, credentials=True)

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        self.ledger.append(Call("find"))
        trouble = self._trouble(self.before, "find")
        if isinstance(trouble, Retry | NeedsPerson):
            return trouble
        wanted = set(subject.seeds.items())
        found = [row for row in self.rows if wanted & set(row.seeds.items()) and row.created_at <= cut_off]
        return Frozen(
            rows=_by_table(row for row in found if not row.shared),
            shared=_by_table(row for row in found if row.shared),
        )

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        self.ledger.append(Call("export"))
        trouble = self._trouble(self.before, "export")
        if isinstance(trouble, Retry | NeedsPerson):
            return trouble
        datasets = tuple(
            self._dataset(name, keys, (since, cut_off))
            for name, keys in sorted(frozen.rows.items())
            if specific
        )
        return Export(self.name, datasets, categories_held(self.datamap, frozen))

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        trouble = self._trouble(self.before, "act")
        if trouble is not None:
            return trouble  # type: ignore[return-value]
        counts = tuple(
            self._treat(right, name, frozen, cut_off) for name in sorted({*frozen.rows, *frozen.shared})
        )
        changed = sum(count.erased + count.deidentified + count.corrected for count in counts)
        self.ledger.append(Call("act", right, idempotency_key, changed))
        trouble = self._trouble(self.after, "act")
        if trouble is not None:
            return trouble  # type: ignore[return-value]
        if right == "opt_out" and not any(c.opt_out for c in self.datamap.collections.values()):
            return Nothing("the map has no opt_out column")
        return Done(Receipt(self.name, counts, performed_at=cut_off, cut_off=cut_off).sealed())

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        self.ledger.append(Call("prove", right))
        trouble = self._trouble(self.before, "prove")
        if trouble is not None:
            return trouble  # type: ignore[return-value]
        left = [row for row in self._bound(frozen, cut_off) if self._pending(right, row)]
        checked = {name: len(keys) for name, keys in frozen.rows.items() if self._kind(name) != "retain"}
        return StillPresent(len(left)) if left else Gone(checked)

    async def close(self) -> None:
        """Nothing is held."""

    def _trouble(self, troubles: dict[str, list[Trouble]], verb: str) -> Outcome | Proof | None:
        return troubles[verb].pop(0)() if troubles[verb] else None

    def _kind(self, table: str) -> str:
        return self.datamap.collections[table].treatment

    def _pending(self, right: str, row: Row) -> bool:
        if right == "opt_out":
            return self.datamap.collections[row.table].opt_out is not None and not row.opted_out
        return not row.shared and self._kind(row.table) == "erase"

    def _bound(self, frozen: Frozen, cut_off: datetime) -> list[Row]:
        keys = {
            (name, key)
            for rows in (frozen.rows, frozen.shared)
            for name, each in rows.items()
            for key in each
        }
        return [row for row in self.rows if (row.table, (row.key,)) in keys and row.created_at <= cut_off]

    def _treat(self, right: str, name: str, frozen: Frozen, cut_off: datetime) -> DatasetCount:
        rows = [row for row in self._bound(frozen, cut_off) if row.table == name]
        pending = [row for row in rows if self._pending(right, row)]
        if right == "opt_out":
            self.rows = [replace(row, opted_out=True) if row in pending else row for row in self.rows]
            return DatasetCount(name, corrected=len(pending))
        self.rows = [row for row in self.rows if row not in pending]
        shared = len(frozen.shared.get(name, ()))
        kept = [Retained(RIGHTS_OF_OTHERS, shared)] if shared else []
        held = len([row for row in rows if not row.shared]) - len(pending)
        kept += [Retained(each, held) for each in self.datamap.collections[name].exemptions if held]
        return DatasetCount(name, erased=len(pending), retained=tuple(kept))

    def _dataset(
        self, name: str, keys: Sequence[Key], reach: tuple[datetime | None, datetime]
    ) -> ExportedDataset:
        since, until = reach
        fields = self.datamap.collections[name].fields
        rows = [
            row for row in self.rows
            if row.table == name and (row.key,) in keys and (since or row.created_at) <= row.created_at <= until
        ]  # fmt: skip
        hidden = [field.name for field in fields.values() if field.withheld]
        return ExportedDataset(
            dataset=name,
            rows=tuple(
                {k: v for k, v in {**row.seeds, **row.values}.items() if k not in hidden} for row in rows
            ),
            categories={field.name: field.category for field in fields.values() if field.category},
            withheld=tuple(
                Withheld(column, str(fields[column].withheld), count)
                for column in hidden
                if (count := sum(column in row.values for row in rows))
            ),
        )


def table(
    name: str = "people",
    *identities: str,
    retention: str | None = None,
    opt_out: bool = False,
    **more: MapField,
) -> MapCollection:
    """A table of a map: identity columns by their kinds, further columns as given."""
    fields = {
        kind: MapField(kind, identity=kind, category="identifiers") for kind in identities or ("email",)
    }
    return MapCollection(
        name=name,
        fields={"id": MapField("id", primary_key=True), **fields, **more},
        treatment="retain" if retention else "erase",
        retention=Retention(exemption=retention, cite="a law", why="a duty") if retention else None,
        opt_out=Flag(field="opted_out") if opt_out else None,
    )


def memory_system(name: str, *rows: Row, tables: Sequence[MapCollection] = ()) -> MemorySystem:
    """A system with these rows; without tables, one of people found by e-mail."""
    collections = {each.name: each for each in tables or (table(),)}
    return MemorySystem(name, DataMap(key=name, collections=collections), rows)


def connected(
    system: MemorySystem, *, business: str = "cascadia", identity_source: bool = False, order: int = 100
) -> Connected:
    """The system as `app` would connect it."""
    entry = SystemEntry(
        name=system.name,
        business=business,
        rights=rights_of(system.datamap),
        finds_by=kinds_found_by(system.datamap),
        knows=kinds_known(system.datamap),
        identity_source=identity_source,
        order=order,
    )
    return Connected(entry, system.datamap, system)


def _by_table(rows: Iterable[Row]) -> dict[str, tuple[Key, ...]]:
    tables: dict[str, tuple[Key, ...]] = {}
    for row in rows:
        tables[row.table] = (*tables.get(row.table, ()), (row.key,))
    return tables
