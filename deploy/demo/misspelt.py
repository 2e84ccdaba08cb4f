"""A misspelt first name: what the person writes, and the staff who put it right where no program may.

The maps of Cascadia Motors let a program set a first name. A full name stands on papers and in accounts: there a person
of the dealer-management desk or the help desk looks, and types it in as they type in anything.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from uuid import UUID

import asyncpg

from deploy.cli.request_subject import Known, known_of
from deploy.demo.cascadia.audit import NAMES, Audit
from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.places import DATABASES, SYSTEMS, Places
from deploy.demo.hands import end, work
from deploy.demo.watch import Watch
from shared.hosting import Resources
from shared.privacy.claims import Correction
from shared.settings import Settings

WHAT = "First name"
DMS, HELPDESK = SYSTEMS["dms"], SYSTEMS["helpdesk"]
_IN_DMS = """
UPDATE customers SET full_name = $2 || substr(full_name, length($1) + 1)
WHERE full_name LIKE $1 || ' %' AND (lower(email) = ANY($3) OR customer_number = ANY($4))
"""
_AT_HELPDESK = """
UPDATE users SET full_name = ?2 || substr(full_name, length(?1) + 1)
WHERE full_name LIKE ?1 || ' %' AND lower(email) = ?3
"""


def as_it_should_be(person: Person) -> str:
    """How the first name is really spelt."""
    return f"{person.first_name}-Lou"


def correction(person: Person) -> Correction:
    """What the person asks for."""
    return Correction(
        what=WHAT, is_now=person.first_name, should_be=as_it_should_be(person), evidence="my passport"
    )


def everywhere(audit: Audit, person: Person) -> bool:
    """Whether the name stands in every system that has names, and on paper."""
    return person.owns_car and {where[:2] for where in audit.named(person)} == NAMES.keys()


class Clerks:
    """Who works at the dealer-management desk and at the help desk."""

    def __init__(self, settings: Settings, places: Places) -> None:
        self._settings = settings
        self._places = places

    async def work(self, watch: Watch) -> None:
        """Do every task that comes, until canceled."""
        await work(self._settings, watch, {DMS, HELPDESK}, self._do)

    async def _do(self, resources: Resources, request_id: UUID, task: str) -> None:
        known = await known_of(resources, request_id, proved=True)
        (wrong,) = known.corrections
        names = (wrong.is_now or "", wrong.should_be)
        found = await self._in_dms(names, known) if DMS in task else self._at_helpdesk(names, known)
        reason = "compared the name with the licence on file, and typed it in"
        evidence = f"desk-book/{str(request_id)[:8]}"
        await end(self._settings, (request_id, task), "done" if found else "nothing", reason, evidence)

    async def _in_dms(self, names: tuple[str, str], known: Known) -> bool:
        connection = await asyncpg.connect(self._places.admin(DATABASES["dms"]))
        try:
            done = await connection.execute(
                _IN_DMS, *names, _all(known, "email"), [*_all(known, "customer_id")]
            )
        finally:
            await connection.close()
        return bool(done != "UPDATE 0")

    def _at_helpdesk(self, names: tuple[str, str], known: Known) -> bool:
        with closing(sqlite3.connect(self._places.file("helpdesk"), timeout=10)) as database, database:
            return any(
                database.execute(_AT_HELPDESK, (*names, email)).rowcount for email in _all(known, "email")
            )


def _all(known: Known, kind: str) -> Sequence[str]:
    found = [seeds[kind] for seeds in known.seeds if seeds.get(kind)]
    return [each.lower() for each in found] if kind == "email" else found
