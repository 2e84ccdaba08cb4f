"""The systems of the sample that cannot be searched, only told: a folder, a letter, a webhook, an audience, OpenDSR."""

import asyncio
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

from deploy.demo import audience, booking, detailing, print_shop, sessions
from deploy.demo.audience import Audience
from deploy.demo.booking import Booking
from deploy.demo.cascadia.people import Person
from deploy.demo.detailing import Detailing
from deploy.demo.hands import end
from deploy.demo.print_shop import PrintShop
from deploy.demo.sessions import Sessions
from deploy.demo.told_proof import Receipts
from deploy.demo.watch import Watch
from shared.settings import Settings

SYSTEMS = (print_shop.SYSTEM, detailing.SYSTEM, booking.SYSTEM, audience.SYSTEM, sessions.SYSTEM)
_ONCE = (
    "a folder, a letter and a webhook told three more companies, and a connector an audience, by hashes alone"
)
_DESCRIBED = Path(__file__).parent / "only_told"


class ToldSystems:
    """All of them, and the clerk who asks them about what they cannot be told."""

    def __init__(self, settings: Settings, mail: Path) -> None:
        self._settings = settings
        self.print_shop = PrintShop(settings)
        self.detailing = Detailing(settings, mail)
        self.booking = Booking(settings)
        self.audience = Audience(settings)
        self.sessions = Sessions(settings)
        self._all = (self.print_shop, self.detailing, self.booking, self.audience, self.sessions)
        self._asked: set[tuple[UUID, str]] = set()

    def furnish(self, people: Iterable[Person]) -> None:
        """Each gets everybody's address; they are described beside the other systems."""
        everybody = list(people)
        for each in self._all:
            each.furnish(everybody)
        shutil.copytree(_DESCRIBED, self._settings.home / "systems", dirs_exist_ok=True)

    def stop(self) -> None:
        """End what listens."""
        self.booking.stop()
        self.audience.stop()
        self.sessions.stop()

    async def work(self, watch: Watch) -> None:
        """What they and their clerk do, until canceled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.print_shop.work(watch))
            group.create_task(self.detailing.work(watch))
            group.create_task(self.sessions.work(watch))
            group.create_task(self._ask_about_names(watch))

    def findings(self, receipts: Receipts) -> Iterator[str]:
        """Whatever one of them should have heard or done otherwise."""
        for each in self._all:
            yield from each.findings(receipts)

    def sentences(self) -> tuple[str, str]:
        """What the proof says of them."""
        return (
            f"{_ONCE}: each once of each, and they did it",
            self.sessions.sentence(),
        )

    async def _ask_about_names(self, watch: Watch) -> None:
        """None can be told what to correct: somebody asks, and none has a name."""

        def waiting() -> list[tuple[UUID, str]]:
            found = [(one, task) for (one, name), (task, _) in watch.needs_person.items() if name in SYSTEMS]
            return [one for one in found if one[1].endswith(":correct") and one not in self._asked]

        while True:
            await watch.whenever(lambda: bool(waiting()))
            for one in waiting():
                reason = "asked: it has addresses of mail, in the clear or hashed, and no names"
                await end(self._settings, one, "nothing", reason, f"desk-book/{str(one[0])[:8]}")
                self._asked.add(one)
