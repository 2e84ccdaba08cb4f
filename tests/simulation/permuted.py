"""One story told in many orders: what each service heard first must not show once everything is at rest.

Nothing goes wrong here. Each service has some topics held back until all others have nothing more to say, which
topics those are is drawn from the seed; so a service may hear of an ending before the beginning.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.events.topics import SERVICES, read_by
from tests.simulation.log import PARTITIONS, Partition
from tests.simulation.people import Asked
from tests.simulation.plan import Plan
from tests.simulation.rest import check_at_rest
from tests.simulation.scheduler import Scheduler

QUIET = Plan(people=5, requests=5, processes=1, legacy=False, faults=frozenset(), failing=0.0)
OFTEN = 0.4
# What follows from when and under which number something was said, and not from what was said.
NUMBERS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<digest>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<instant>"),
)


class PermutedStory(Scheduler):
    """Scenes, each of which is heard of by everybody, in an order of its own, before the next begins."""

    def __init__(self, order: int) -> None:
        super().__init__(f"order {order}", 0, plan=QUIET)

    def cases(self) -> dict[str, Any]:
        """Every case of every service at rest."""
        return {
            f"{service} {request_id}": _told(row.body or "{}")
            for service in SERVICES
            for request_id, row in sorted(self.world.databases[service].tables.cases.items())
        }

    def orders(self) -> set[tuple[str, ...]]:
        """In which order deadline, which reads most, heard of each request."""
        audit = sorted(self.world.databases["deadline"].tables.audit.items())
        heard = defaultdict(list)
        for (request_id, _), entry in audit:
            heard[request_id].append(entry.kind)
        return {tuple(kinds) for kinds in heard.values()}

    async def _story(self) -> None:
        for service in SERVICES:
            self.world.begin(service, 0)
        self._over = self.loop.create_future()
        for scene in self._scenes():
            scene()
            await self._settled()
        self._begin_rest()
        await self._over
        check_at_rest(self.world)

    def _scenes(self) -> Sequence[Callable[[], None]]:
        raise NotImplementedError

    def _prove(self, *proving: Asked) -> None:
        people = self.world.people
        for asked in proving:
            people.type(asked, people.mailed[asked.request_id][-1])

    def _begin_rest(self) -> None:
        super()._begin_rest()
        if self._settling:
            self.world.log.stalled.update(self._drawn_to_wait())

    def _drawn_to_wait(self) -> set[tuple[str, Partition]]:
        return {
            (service, (topic.name, number))
            for service in SERVICES
            for topic in read_by(service)
            if self.chance.random() < OFTEN
            for number in range(PARTITIONS)
        }

    def _moves_on(self) -> bool:
        if self.world.log.stalled:
            self.world.log.stalled.discard(self.chance.choice(sorted(self.world.log.stalled)))
            return True
        return False


class Answered(PermutedStory):
    """Five people ask; one proves nothing; one's date is moved; one's rows were held and are free again."""

    def _scenes(self) -> Sequence[Callable[[], None]]:
        return self._ask, self._change, self._all_prove

    def _ask(self) -> None:
        people = self.world.people
        self.deleted = people.ask(0, "delete", "http")
        self.shown = people.ask(1, "know", "upstream")
        self.held = people.ask(2, "delete", "upstream")
        people.ask(3, "delete", "http")
        people.ask(4, "opt_out", "http")

    def _change(self) -> None:
        people = self.world.people
        people.extend(self.shown)
        people.hold(self.held)

    def _all_prove(self) -> None:
        self._prove(self.deleted, self.shown, self.held)
        self.world.people.release(everything=True)


class TakenBack(PermutedStory):
    """One takes it back unproved, one after an extension, one proved while the rows are held; others are served."""

    def _scenes(self) -> Sequence[Callable[[], None]]:
        # Whether a hold's end or a withdrawal comes first decides what is done: not in one scene.
        return self._ask, self._hold, self._some_prove, self._take_back, self._release

    def _ask(self) -> None:
        people = self.world.people
        self.unproved = people.ask(0, "delete", "http")
        self.extended = people.ask(1, "know", "upstream")
        self.held = people.ask(2, "delete", "http")
        people.ask(3, "opt_out", "upstream")
        self.kept = people.ask(4, "delete", "upstream")

    def _hold(self) -> None:
        people = self.world.people
        people.hold(self.held)
        people.hold(self.kept)
        people.extend(self.extended)

    def _some_prove(self) -> None:
        self.world.people.take_back(self.unproved)
        self._prove(self.held, self.kept)

    def _take_back(self) -> None:
        self.world.people.take_back(self.held)
        self.world.people.take_back(self.extended)

    def _release(self) -> None:
        self.world.people.release(everything=True)


STORIES: tuple[type[PermutedStory], ...] = (Answered, TakenBack)


def told_in_the_orders(orders: Iterable[int], told: type[PermutedStory] = Answered) -> list[PermutedStory]:
    """The same story, once in each order."""
    stories = [told(order) for order in orders]
    for story in stories:
        story.run()
    return stories


def _told(body: str) -> Any:
    for number, word in NUMBERS:
        body = number.sub(word, body)
    return json.loads(body)
