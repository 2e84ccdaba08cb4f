"""Cascadia Motors and its people, for any number of installations on the same servers."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deploy.demo.cascadia.audit import Audit
from deploy.demo.cascadia.before import Where, read_all, read_before
from deploy.demo.cascadia.load import Cascadia, load
from deploy.demo.cascadia.people import Person

PEOPLE = 600
Wanted = Callable[[Person], bool]


@dataclass
class Town:
    """The sample business. Everybody asks at most once, so that one audit can look at all tests together."""

    business: Cascadia
    changed: list[Person] = field(default_factory=list)
    _strangers: list[Person] = field(init=False)

    def __post_init__(self) -> None:
        self._strangers = list(self.business.people)

    @classmethod
    async def build(cls, database_url: str, home: Path, *, people: int = PEOPLE) -> "Town":
        return cls(await load(database_url, home, seed=20, people=people))

    def somebody(self, wanted: Wanted = lambda _: True) -> Person:
        """A person whom no test has used."""
        found = self.whoever(wanted)
        self._strangers.remove(found)
        return found

    def whoever(self, wanted: Wanted = lambda _: True) -> Person:
        """Whom `somebody` would give next."""
        return next(person for person in self._strangers if wanted(person))

    def stranger(self) -> Person:
        """Somebody of whom the business has no address, and who gives another person's name and number."""
        known = self.somebody()
        return replace(known, email=f"stranger.{known.email}")

    def open_to(self, home: Path) -> None:
        """Give another installation the addresses of the business's systems."""
        folder = home / self.business.places.folder.name
        if folder != self.business.places.folder:
            shutil.copytree(self.business.places.folder, folder, ignore=shutil.ignore_patterns("*.sqlite"))

    async def audit(self) -> Audit:
        """The business's own look at everything as it is now."""
        return await self.business.audit().look()

    async def unharmed(self) -> None:
        """Nothing happened twice, and nobody was touched who did not ask for it."""
        audit = await self.audit()
        assert await audit.effects_twice() == ()
        assert audit.bystanders_touched(self.changed) == ()

    async def rows_of(self, person: Person) -> dict[Where, dict[str, Any]]:
        """Every row that is this person's by the record of before, as it is now."""
        known = read_before(self.business.places)
        before = [where for where, row in known.items() if row.owner == person.number]
        content = await read_all(
            self.business.places, sorted({(system, table) for system, table, _ in before})
        )
        return {where: dict(content[where]) for where in before if where in content}


def has_everything(person: Person) -> bool:
    """Rows in all three systems, and a sale that is kept."""
    return person.owns_car and person.subscribes and person.dms_email == person.email and not person.household


def leaves_nothing(person: Person) -> bool:
    """Known to the business, and nothing of it must be kept."""
    return not person.owns_car and not person.household and person.dms_email == person.email
