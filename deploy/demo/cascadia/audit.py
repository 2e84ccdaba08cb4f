"""The business's own proof, apart from Habeas: what is left, what was kept, what happened twice, who was touched.

It uses the administrator's connection, the record of before and the ledger; it knows neither data map nor adapter.
"""

import asyncio
import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from deploy.demo.cascadia.before import Known, Where, checksum, read_all, read_before, read_past
from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.places import DATABASES, LISTS, RENTED, ROLES, Places

EXEMPT = frozenset({("dms", "sales")})
"""The only rows that may outlive a deletion with the person in them: 49 CFR 580.8."""

STRIPPED = frozenset({("dms", "customers"), ("dms", "vehicles")})
"""Rows that outlive it without the person, because a sale refers to them."""

FLAGS = {
    ("crm", "contacts"): "do_not_sell",
    ("marketing", "subscribers"): "unsubscribed",
    ("marketing", "ad_audience_members"): "excluded",
    ("mailer", "contacts"): "sale_opt_out",
    ("leads", "leads"): "do_not_sell",
}

NAMES = {
    ("crm", "contacts"): "first_name",
    ("marketing", "subscribers"): "first_name",
    ("mailer", "contacts"): "first_name",
    ("leads", "leads"): "first_name",
    ("dms", "customers"): "full_name",
    ("helpdesk", "users"): "full_name",
}
"""Where a name stands; what was signed, and what people wrote, stays as it was written."""

_TWICE = """
WITH touched AS (
  SELECT id, table_name, verb, coalesce(idempotency_key, '') AS key, unnest(row_keys) AS row_key
  FROM ledger.effects WHERE role = $1 AND row_count > 0
)
SELECT table_name, verb, row_key, count(*) AS times FROM touched
GROUP BY table_name, verb, row_key, CASE WHEN verb = 'DELETE' THEN '' ELSE key END HAVING count(*) > 1
"""
_TWICE_BY_KEY = """
SELECT table_name, verb, idempotency_key AS row_key, count(DISTINCT transaction_id) AS times FROM ledger.effects
WHERE role = $1 AND row_count > 0 AND idempotency_key IS NOT NULL
GROUP BY table_name, verb, idempotency_key HAVING count(DISTINCT transaction_id) > 1
"""
_TWICE_IN_FILE = """
SELECT table_name, verb, row_key, count(*) AS times FROM ledger_effects
GROUP BY table_name, verb, row_key HAVING count(*) > 1
"""
_TOLD_TWICE = """
SELECT table_name, verb, row_key, count(*) AS times FROM told GROUP BY table_name, verb, row_key HAVING count(*) > 1
"""


@dataclass(frozen=True, slots=True)
class Twice:
    """One row, or one request's key, that a destructive verb hit more than once."""

    system: str
    table: str
    verb: str
    key: str
    times: int


class Audit:
    """Looks at the databases as they are now; `look` again after anything has changed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._before: Mapping[Where, Known] = read_before(places)
        self._now: Mapping[Where, Mapping[str, Any]] = {}
        self._past: Mapping[Where, Mapping[str, Any]] = {}
        self._named: Mapping[str, set[Where]] = {}
        self._rows_of = _by_owner(self._before)

    async def look(self) -> "Audit":
        """Read every row of all systems, and of the older versions that a store still has."""
        tables = {(system, table) for system, table, _ in self._before}
        self._now = await read_all(self._places, sorted(tables))
        self._past = await asyncio.to_thread(read_past, self._places)
        self._named = _by_text({**self._now, **self._past})
        return self

    def rows_left(self, person: Person) -> tuple[Where, ...]:
        """Rows that a deletion should have taken and that still hold the person, by record and by full search.

        Older versions count: of the lists, a deletion leaves none that holds the person.
        """
        own = {
            where for where in self._of(person) if where[:2] not in EXEMPT | STRIPPED and where in self._now
        }
        named = {
            where for text in _names(person) for where in self._named.get(text, ()) if where[:2] not in EXEMPT
        }
        stripped = {where for where in self._of(person) if where[:2] in STRIPPED and where in self._now}
        clothed = {where for where in stripped if _points_to(self._now[where], person)}
        return tuple(sorted(own | named | clothed | set(self.past(person))))

    def past(self, person: Person) -> tuple[Where, ...]:
        """The person's rows in older versions: the table's name is the version's."""
        ids = {row for system, _, row in self._of(person) if system == LISTS}
        return tuple(where for where in self._past if where[2] in ids)

    def retained_only_under_exemption(self, person: Person) -> bool:
        """What is left of the person is exactly the exempt rows, unchanged."""
        exempt = [where for where in self._of(person) if where[:2] in EXEMPT]
        unchanged = all(self._same(where) for where in exempt)
        return unchanged and not self.rows_left(person)

    def retained(self, person: Person) -> int:
        return sum(where[:2] in EXEMPT and where in self._now for where in self._of(person))

    def not_opted_out(self, person: Person) -> tuple[Where, ...]:
        """The person's rows that carry a flag for it, and do not show it."""
        flagged = [where for where in self._of(person) if where[:2] in FLAGS and where in self._now]
        return tuple(where for where in flagged if not self._now[where][FLAGS[where[:2]]])

    def named(self, person: Person) -> tuple[Where, ...]:
        """The person's rows that have the name in a column of its own."""
        return tuple(where for where in self._of(person) if where[:2] in NAMES)

    def not_corrected(self, person: Person, first_name: str) -> tuple[Where, ...]:
        """The person's rows that have not the right name, or in which anything else is not as it was."""
        right = replace(person, first_name=first_name)
        return tuple(where for where in self._of(person) if not self._only_renamed(where, person, right))

    def _only_renamed(self, where: Where, person: Person, right: Person) -> bool:
        column = NAMES.get(where[:2])
        if column is None:
            return self._same(where)
        was, should_be = (
            {"first_name": one.first_name, "full_name": one.name}[column] for one in (person, right)
        )
        now = self._now.get(where, {})
        before = {**now, column: was}
        return now.get(column) == should_be and checksum(before) == self._before[where].checksum

    def bystanders_touched(self, asked: Collection[Person]) -> tuple[Where, ...]:
        """Rows of anybody else that changed or went, or came: the databases have no other users."""
        numbers = {person.number for person in asked}
        others = [where for where, known in self._before.items() if known.owner not in numbers]
        changed = [where for where in others if not self._same(where) and not self._orphaned(where, numbers)]
        return tuple(sorted([*changed, *(where for where in self._now if where not in self._before)]))

    async def effects_twice(self) -> tuple[Twice, ...]:
        """Destructive effects that the ledger shows more than once, by row and by idempotency key."""
        found = list(self._twice_in_file())
        for system, database in DATABASES.items():
            connection = await asyncpg.connect(self._places.admin(database))
            try:
                for query in (_TWICE, _TWICE_BY_KEY):
                    rows = await connection.fetch(query, ROLES[system])
                    found += [
                        Twice(system, r["table_name"], r["verb"], r["row_key"], r["times"]) for r in rows
                    ]
            finally:
                await connection.close()
        return tuple(found)

    async def effects(self) -> int:
        """How many rows the ledger has seen destroyed or changed in all."""
        total = 0
        for database in DATABASES.values():
            connection = await asyncpg.connect(self._places.admin(database))
            try:
                total += await connection.fetchval(
                    "SELECT coalesce(sum(row_count), 0)::bigint FROM ledger.effects"
                )
            finally:
                await connection.close()
        with closing(sqlite3.connect(self._places.marketing)) as database_file:
            (in_file,) = database_file.execute("SELECT count(*) FROM ledger_effects").fetchone()
        return total + int(in_file) + sum(self._told(system) for system in RENTED)

    def _told(self, system: str) -> int:
        """How often a rented service was told to change something."""
        with closing(sqlite3.connect(self._places.file(system))) as database:
            (told,) = database.execute("SELECT count(*) FROM told").fetchone()
        return int(told)

    def _of(self, person: Person) -> list[Where]:
        return self._rows_of.get(person.number, [])

    def _same(self, where: Where) -> bool:
        return where in self._now and checksum(self._now[where]) == self._before[where].checksum

    def _orphaned(self, where: Where, numbers: Collection[int]) -> bool:
        """A household may go once all who lived in it have asked."""
        if where[:2] != ("crm", "households") or self._before[where].owner is not None:
            return False
        household = int(where[2])
        return {2 * household - 1, 2 * household} <= set(numbers)

    def _twice_in_file(self) -> Iterable[Twice]:
        with closing(sqlite3.connect(self._places.marketing)) as database:
            rows = database.execute(_TWICE_IN_FILE).fetchall()
        found = [Twice("marketing", *row) for row in rows]
        for system in RENTED:
            with closing(sqlite3.connect(self._places.file(system))) as database:
                found += [Twice(system, *row) for row in database.execute(_TOLD_TWICE).fetchall()]
        return found


def _names(person: Person) -> set[str]:
    """The texts that point to this person and to nobody else, as any table may spell them."""
    digest = hashlib.sha256(person.email.encode()).hexdigest()
    return {person.email, f"old.{person.email}", digest, person.customer_id.lower(), person.phone}


def _by_text(rows: Mapping[Where, Mapping[str, Any]]) -> Mapping[str, set[Where]]:
    """Which rows hold a text in any column, in small letters."""
    index: dict[str, set[Where]] = defaultdict(set)
    for where, row in rows.items():
        for value in row.values():
            if isinstance(value, str):
                index[value.lower()].add(where)
    return index


def _by_owner(rows: Mapping[Where, Known]) -> Mapping[int | None, list[Where]]:
    index: dict[int | None, list[Where]] = defaultdict(list)
    for where, known in rows.items():
        index[known.owner].append(where)
    return index


def _points_to(row: Mapping[str, Any], person: Person) -> bool:
    """A customer or vehicle that should be nobody's any more still says whose it was."""
    told = (row.get(column) for column in ("driver_license", "license_plate", "owner_id"))
    return row.get("full_name") == person.name or any(told)
