"""The people of the parts office: they look through repair orders that no program reaches, as a person would.

They learn whom a task is about as staff do, shred or copy what they find, and end the task by a signed command.
"""

import asyncio
import json
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from deploy.cli.request_subject import known_of
from deploy.commands import send_command
from deploy.demo.cascadia.people import Person
from deploy.demo.hands import work
from deploy.demo.watch import Watch
from shared.events.commands import CompleteTask, RetryTask
from shared.hosting import Resources
from shared.privacy.claims import Correction
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
                write_private(self.records / _file(person), _order(person).encode())
        self._before = self._now()
        for kind, text in {"url": str(self._copies.absolute()), "key": secrets.token_urlsafe(24)}.items():
            write_private(self.records.parent / f"{SYSTEM}.{kind}", text.encode())
        everything = self._settings.home / "systems"
        shutil.copytree(systems, everything)
        shutil.copytree(_BY_HAND, everything, dirs_exist_ok=True)
        return everything

    async def work(self, watch: Watch) -> None:
        """Do every task that comes, until canceled."""
        await work(self._settings, watch, {SYSTEM}, partial(self._do, watch))

    def findings(self, deleted: Collection[Person], renamed: Mapping[Person, str]) -> Iterator[str]:
        """What is wrong with the folder, by what it was before: who is still there, and what of others is not.

        Who is `renamed` has the same repair order, with another first name.
        """
        gone = {_file(person) for person in deleted if person.owns_car}
        now = self._now()
        if left := gone & now.keys():
            yield f"{len(left)} repair orders of people who asked for deletion are left"
        anew = {
            _file(person): _digest(_order(replace(person, first_name=name)).encode())
            for person, name in renamed.items()
            if person.owns_car
        }
        if wrong := [name for name, digest in anew.items() if now.get(name) != digest]:
            yield f"{len(wrong)} repair orders do not have the name that they should"
        if _without(self._before, gone | anew.keys()) != _without(now, gone | anew.keys()):
            yield "repair orders of people who did not ask for a change were changed"

    async def _do(self, watch: Watch, resources: Resources, request_id: UUID, task: str) -> None:
        known = await known_of(resources, request_id, proved=True)
        emails = {seeds["email"].lower() for seeds in known.seeds if seeds.get("email")}
        # One pair of hands: a sheet must not go while somebody looks through the folder.
        async with self._hands:
            orders = await asyncio.to_thread(self._look_through, emails)
            copied = [_copied(path) for path in orders]
            for path in orders if task.endswith(":delete") else ():
                path.unlink()
            for path in orders if task.endswith(":correct") else ():
                _rename(path, known.corrections)
        if not task.endswith((":delete", ":correct")):
            await self._hand_copies(watch, request_id, task, copied)
        else:
            evidence = f"records-book/{str(request_id)[:8]}"
            word = CompleteTask(
                task=task,
                outcome="done" if orders else "nothing",
                actor=ACTOR,
                reason="looked through the repair orders, and shredded or mended what was found",
                evidence=evidence,
            )
            await send_command(self._settings, request_id, word)

    async def _hand_copies(
        self, watch: Watch, request_id: UUID, task: str, copied: Sequence[Mapping[str, str]]
    ) -> None:
        reference = watch.by_hand[request_id, task].rpartition(" ")[2]
        copy = {"repair_orders": copied}
        write_private(self._copies / f"{reference}.json", json.dumps(copy).encode())
        again = RetryTask(task=task, actor=ACTOR, reason="the copy is handed over")
        await send_command(self._settings, request_id, again)

    def _look_through(self, emails: Collection[str]) -> list[Path]:
        return [path for path in sorted(self.records.iterdir()) if _copied(path)["email"].lower() in emails]

    def _now(self) -> dict[str, str]:
        return {path.name: _digest(path.read_bytes()) for path in self.records.iterdir()}


def _file(person: Person) -> str:
    return f"RO-{person.number:05d}.txt"


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _without(found: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {name: digest for name, digest in found.items() if name not in names}


def _rename(path: Path, corrections: Iterable[Correction]) -> None:
    """With a pen: the old name crossed out, the right one above it."""
    for one in corrections:
        written = path.read_text().replace(f"customer: {one.is_now} ", f"customer: {one.should_be} ")
        path.write_text(written)


def _order(person: Person) -> str:
    return f"customer: {person.name}\nemail: {person.email}\nwork: oil change\n"


def _copied(path: Path) -> dict[str, str]:
    lines = dict(line.split(": ", 1) for line in path.read_text().splitlines())
    return {"order_no": path.stem, **lines}
