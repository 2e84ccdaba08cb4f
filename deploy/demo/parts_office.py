"""The people of the parts office: they look through repair orders that no program reaches, as a person would.

They learn whom a task is about as staff do, shred or copy what they find, and end the task by a signed command.
"""

import asyncio
import json
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from deploy.cli.request_subject import seeds_of
from deploy.commands import send_command
from deploy.demo.cascadia.people import Person
from deploy.demo.watch import Watch
from shared.events.commands import CompleteTask, RetryTask
from shared.hosting import Resources, open_resources
from shared.private_files import write_private
from shared.settings import Settings

SYSTEM = "cascadia-service-records"
ACTOR = "parts-office"
_BY_HAND = Path(__file__).parent / "by_hand"


class PartsOffice:
    """A folder of repair orders, and who looks after it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.records = settings.home / "cascadia" / "service-records"
        self._copies = settings.home / "cascadia" / "copies"
        self._before: Mapping[str, str] = {}
        self._hands = asyncio.Lock()

    def furnish(self, people: Iterable[Person], systems: Path) -> Path:
        """Write the repair orders, and describe them beside the other systems; the folder of all of them."""
        for folder in (self.records, self._copies):
            folder.mkdir(mode=0o700, parents=True)
        for person in people:
            if person.owns_car:
                write_private(self.records / f"RO-{person.number:05d}.txt", _order(person).encode())
        self._before = self._now()
        for kind, text in {"url": str(self._copies.absolute()), "key": secrets.token_urlsafe(24)}.items():
            write_private(self.records.parent / f"{SYSTEM}.{kind}", text.encode())
        everything = self._settings.home / "systems"
        shutil.copytree(systems, everything)
        shutil.copytree(_BY_HAND, everything, dirs_exist_ok=True)
        return everything

    async def work(self, watch: Watch) -> None:
        """Do every task that comes, until canceled."""
        done: set[tuple[UUID, str]] = set()
        async with AsyncExitStack() as stack:
            resources = await open_resources(self._settings, "fulfillment", stack)
            while True:
                await watch.until(
                    lambda: bool(set(watch.by_hand) - done), seconds=3600, what="a task by hand"
                )
                fresh = sorted(set(watch.by_hand) - done)
                async with asyncio.TaskGroup() as group:
                    for request_id, task in fresh:
                        group.create_task(self._do(resources, request_id, task, watch))
                done.update(fresh)

    def findings(self, deleted: Collection[Person]) -> Iterator[str]:
        """What is wrong with the folder, by what it was before: who is still there, and what of others is not."""
        gone = {f"RO-{person.number:05d}.txt" for person in deleted if person.owns_car}
        now = self._now()
        if left := gone & now.keys():
            yield f"{len(left)} repair orders of people who asked for deletion are left"
        if {name: digest for name, digest in self._before.items() if name not in gone} != {
            name: digest for name, digest in now.items() if name not in gone
        }:
            yield "repair orders of people who did not ask for deletion were changed"

    async def _do(self, resources: Resources, request_id: UUID, task: str, watch: Watch) -> None:
        found = [seeds.get("email", "") for seeds in await seeds_of(resources, request_id, proved=True)]
        emails = {each.lower() for each in found if each}
        # One pair of hands: a sheet must not go while somebody looks through the folder.
        async with self._hands:
            orders = await asyncio.to_thread(self._look_through, emails)
            copied = [_copied(path) for path in orders]
            for path in orders if task.endswith(":delete") else ():
                path.unlink()
        if task.endswith(":delete"):
            evidence = f"records-book/{str(request_id)[:8]}"
            word = CompleteTask(
                task=task,
                outcome="done" if orders else "nothing",
                actor=ACTOR,
                reason="looked through the repair orders, and shredded what was found",
                evidence=evidence,
            )
            await send_command(self._settings, request_id, word)
            return
        reference = watch.by_hand[request_id, task].rpartition(" ")[2]
        copy = {"repair_orders": copied}
        write_private(self._copies / f"{reference}.json", json.dumps(copy).encode())
        again = RetryTask(task=task, actor=ACTOR, reason="the copy is handed over")
        await send_command(self._settings, request_id, again)

    def _look_through(self, emails: Collection[str]) -> list[Path]:
        return [path for path in sorted(self.records.iterdir()) if _copied(path)["email"].lower() in emails]

    def _now(self) -> dict[str, str]:
        return {path.name: sha256(path.read_bytes()).hexdigest() for path in self.records.iterdir()}


def _order(person: Person) -> str:
    return f"customer: {person.name}\nemail: {person.email}\nwork: oil change\n"


def _copied(path: Path) -> dict[str, str]:
    lines = dict(line.split(": ", 1) for line in path.read_text().splitlines())
    return {"order_no": path.stem, **lines}
