"""The ids that a call is bound to: a system's own row keys, as `find` returned them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from services.fulfillment.outcomes import Job, Json
from shared.canonical import canonical_json, sha256_hex
from shared.privacy.claims import Correction

KeyPart: TypeAlias = int | str
Key: TypeAlias = tuple[KeyPart, ...]


@dataclass(frozen=True, slots=True)
class Frozen:
    """The immutable row ids that find returned, by table; a destructive act is bound to these alone.

    `shared` rows were found too, but another person's rows refer to them: reported, never destroyed. `jobs` are what
    a system has already taken on for these rows; they are no part of what the act is bound to. `corrections` are what
    a request to correct says is wrong, and what it should be.
    """

    rows: Mapping[str, Sequence[Key]]
    shared: Mapping[str, Sequence[Key]] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    corrections: tuple[Correction, ...] = field(default=(), repr=False)

    @property
    def is_empty(self) -> bool:
        return not any(self.rows.values()) and not any(self.shared.values())

    def count(self) -> int:
        return sum(len(keys) for keys in self.rows.values())

    def size(self) -> int:
        """All keys, those that others share too."""
        return self.count() + sum(len(keys) for keys in self.shared.values())

    def digest(self) -> str:
        return sha256_hex(canonical_json(self._bound()))

    def to_json(self) -> Json:
        if not self.jobs:
            return self._bound()
        return {**self._bound(), "jobs": [[job.id, job.since.isoformat()] for job in self.jobs]}

    @classmethod
    def from_json(cls, data: Json) -> "Frozen":
        jobs = tuple(Job(name, datetime.fromisoformat(since)) for name, since in data.get("jobs", ()))
        corrections = tuple(Correction.model_validate(one) for one in data.get("corrections", ()))
        return cls(_keys_from_json(data["rows"]), _keys_from_json(data["shared"]), jobs, corrections)

    def _bound(self) -> Json:
        rows = {"rows": _keys_to_json(self.rows), "shared": _keys_to_json(self.shared)}
        wrong = [one.model_dump(mode="json", exclude={"evidence"}) for one in self.corrections]
        return {**rows, "corrections": wrong} if wrong else rows


def _keys_to_json(tables: Mapping[str, Sequence[Key]]) -> Json:
    ordered = {table: sorted(keys, key=_key_order) for table, keys in tables.items() if keys}
    return {table: [list(key) for key in keys] for table, keys in sorted(ordered.items())}


def _keys_from_json(data: Json) -> dict[str, tuple[Key, ...]]:
    return {table: tuple(tuple(key) for key in keys) for table, keys in data.items()}


def _key_order(key: Key) -> tuple[tuple[str, int, str], ...]:
    """Numbers by size, texts by code point: the order in which keys are stored, digested and locked."""
    return tuple(("n", part, "") if isinstance(part, int) else ("t", 0, part) for part in key)
