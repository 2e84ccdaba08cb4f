"""The print shop: it has the list of the owners' magazine, empties a folder of orders, and puts its word beside each.

Whoever talks to it at Cascadia Motors then has Habeas look, instead of in an hour.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator
from uuid import UUID

from deploy.commands import send_command
from deploy.demo.cascadia.people import Person
from deploy.demo.told_proof import Receipts, still_there, wrongly_heard
from deploy.demo.watch import Watch
from shared.events.commands import RetryTask
from shared.private_files import write_private
from shared.settings import Settings

SYSTEM = "cascadia-print-shop"
RIGHTS = ("delete",)
LOOKS_EVERY, UNTIL_IT_IS_SAID = 0.2, 2.0


class PrintShop:
    """One list of addresses, the folder in which it is told, and its book of what it was told."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = settings.home / "cascadia" / "print-shop"
        self.orders = self._home / "orders"
        self._list, self._book = self._home / "readers.txt", self._home / "book.jsonl"
        self._before: frozenset[str] = frozenset()

    def furnish(self, people: Iterable[Person]) -> None:
        """Give it everybody's address, and a folder."""
        self.orders.mkdir(mode=0o700, parents=True)
        self._before = frozenset(person.email.lower() for person in people)
        self._keep(self._before)
        write_private(self._home.parent / f"{SYSTEM}.url", str(self.orders.absolute()).encode())

    async def work(self, watch: Watch) -> None:
        """Do every order that comes, until canceled."""
        said: dict[str, float] = {}
        clock = asyncio.get_running_loop().time
        while True:
            done = await asyncio.to_thread(self.do_orders)
            waits = [order for order in done if clock() - said.setdefault(order, clock()) >= UNTIL_IT_IS_SAID]
            if waits:
                said.update(dict.fromkeys(waits, clock()))
                for request_id, task in _unsettled(watch):
                    await self._look(request_id, task)
            await asyncio.sleep(LOOKS_EVERY)

    def do_orders(self) -> list[str]:
        """Do what is new; every order whose word nobody has read."""
        orders = sorted(self.orders.glob("*.json"))
        for path in orders:
            if not path.with_suffix(".done").exists():
                self._do(json.loads(path.read_text()))
                path.with_suffix(".done").touch(mode=0o600)
        return [path.stem for path in orders]

    def findings(self, receipts: Receipts) -> Iterator[str]:
        """What is wrong by its list, its book and its folder."""
        heard = [(str(right), str(email)) for right, email in self._written()]
        yield from wrongly_heard(SYSTEM, RIGHTS, heard, receipts)
        yield from still_there(SYSTEM, self._readers(), self._before, receipts)
        if left := list(self.orders.glob("*.json")):
            yield f"{len(left)} orders with people's addresses lie about in the folder of {SYSTEM}"

    def _do(self, order: dict[str, object]) -> None:
        subjects = order["subjects"]
        emails = [one["email"].lower() for one in subjects] if isinstance(subjects, list) else []
        self._keep(self._readers() - set(emails))
        with self._book.open("a") as book:
            book.writelines(json.dumps([order["right"], email]) + "\n" for email in emails)

    def _written(self) -> list[list[str]]:
        lines = self._book.read_text().splitlines() if self._book.exists() else []
        return [json.loads(line) for line in lines]

    def _readers(self) -> set[str]:
        return set(self._list.read_text().splitlines())

    def _keep(self, emails: Iterable[str]) -> None:
        write_private(self._list, "\n".join(sorted(emails)).encode())

    async def _look(self, request_id: UUID, task: str) -> None:
        word = RetryTask(task=task, actor="clerk", reason="the print shop says that it is done")
        await send_command(self._settings, request_id, word)


def _unsettled(watch: Watch) -> list[tuple[UUID, str]]:
    """The tasks that may wait for the print shop's word."""
    return [
        (request_id, f"act:{SYSTEM}:{one.right}")
        for request_id, one in watch.seen.items()
        if SYSTEM in one.planned and SYSTEM not in one.settled and not one.resolution
    ]
