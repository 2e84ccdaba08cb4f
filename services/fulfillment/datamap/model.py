"""The data map as the rest of fulfillment sees it: frozen, checked, and independent of how it was written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from services.fulfillment.datamap.additions import (
    CreatedAt,
    Deidentify,
    Flag,
    Match,
    Retention,
    Scalar,
    StatutoryCategory,
    WithheldKind,
)
from shared.privacy.claims import Language

Treatment: TypeAlias = Literal["erase", "deidentify", "retain", "keep"]
Direction: TypeAlias = Literal["from", "to"]


class MapError(ValueError):
    """A map or system file that cannot be used; every problem names its file and place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Place(NamedTuple):
    """One column of one table."""

    collection: str
    field: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a column's data comes from, what for, who receives it, and how long (or by what rule) it is kept."""

    source: str | None = None
    purpose: str | None = None
    disclosed_to: tuple[str, ...] = ()
    sold_or_shared_to: tuple[str, ...] = ()
    kept_for: str | None = None


@dataclass(frozen=True, slots=True)
class MapField:
    """One column; one that is nested in another has the `steps` that lead to it, the outermost first."""

    name: str
    steps: tuple[str, ...] = ()
    primary_key: bool = False
    identity: str | None = None
    match: Match = "exact"
    personal: bool = False
    category: StatutoryCategory | None = None
    withheld: WithheldKind | None = None
    cleared: bool = False
    retention: Retention | None = None
    deidentify: Deidentify | None = None
    length: int | None = None
    read_only: bool = False
    corrected_as: tuple[str, ...] = ()
    provenance: Provenance = Provenance()

    @property
    def outermost(self) -> str:
        """The column of the table that it is, or is in."""
        return self.steps[0] if self.steps else self.name


@dataclass(frozen=True, slots=True)
class MapCollection:
    """One table: its columns, and what happens to a person's rows in it.

    `exemptions` are the grounds on which something of a row stays: the table's own, else its columns'.
    """

    name: str
    fields: Mapping[str, MapField]
    treatment: Treatment = "erase"
    personal: bool | None = None
    created_at: CreatedAt | None = None
    retention: Retention | None = None
    opt_out: Flag | None = None
    limit: Flag | None = None
    where: Mapping[str, Scalar] | None = None
    max_matches: int | None = None
    erase_after: tuple[str, ...] = ()
    exemptions: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        own = [self.retention] if self.retention else [one.retention for one in self.fields.values()]
        # Asked for every row that a list of people goes through, so it is found once.
        found = tuple(sorted({retention.exemption for retention in own if retention}))
        object.__setattr__(self, "exemptions", found)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """By name, so that frozen keys outlive a reordered file."""
        return tuple(sorted(field.name for field in self.fields.values() if field.primary_key))

    @property
    def outermost(self) -> tuple[str, ...]:
        """The columns of the table itself, each once, in the map's order."""
        return tuple(dict.fromkeys(field.outermost for field in self.fields.values()))

    @property
    def deidentified(self) -> tuple[MapField, ...]:
        return tuple(f for f in self.fields.values() if f.deidentify and not f.read_only)


@dataclass(frozen=True, slots=True)
class Reference:
    """`holder` points at `referenced`; the direction, if any, is the only one in which it may be walked."""

    holder: Place
    referenced: Place
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class DataMap:
    """What one system holds of a person, and how its tables hang together."""

    key: str
    collections: Mapping[str, MapCollection]
    references: tuple[Reference, ...] = ()
    schema: str | None = None
    warnings: tuple[str, ...] = ()
    words: Mapping[Language, Mapping[str, str]] = field(default_factory=dict)

    def identities(self) -> tuple[tuple[str, Place], ...]:
        """Every column that an identity seed is compared with, and the seed's kind."""
        return tuple(
            (field.identity, Place(collection.name, field.name))
            for collection in self.collections.values()
            for field in collection.fields.values()
            if field.identity
        )
