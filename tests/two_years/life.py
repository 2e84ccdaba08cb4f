"""One request's whole life: the four services' rules behind the machine's own gate, and everything around them.

Requests do not meet, so each is lived by itself, in the time of its own agenda; outages are the same for all.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from services.deadline.domain import DeadlineDomain
from services.fulfillment.domain import Catalogue, FulfillmentDomain, SystemEntry
from services.verification.domain import Findings, Limits, VerificationDomain
from shared.events.intake import RequestReceived
from shared.events.message import Event
from shared.events.topics import SERVICES
from shared.machine.decision import Message, Stop, Wait
from shared.policy import Right
from tests.support.domain_driver import REQUEST, DomainDriver, Messages, Sent
from tests.support.front_desk import domain as intake_domain
from tests.support.proofs import CLAIMED, KEYRING
from tests.two_years.calendar_of_trouble import SYSTEMS, Trouble
from tests.two_years.lean_driver import LeanDriver
from tests.two_years.persons import Person
from tests.two_years.told import Told

VENDOR = "mailer"
ENTRIES = [
    *(SystemEntry(name=name, business="cascadia", rights=frozenset(Right)) for name in SYSTEMS),
    SystemEntry(
        name=VENDOR,
        business="cascadia",
        rights=frozenset({Right.DELETE, Right.OPT_OUT}),
        told=True,
        title="Mailer",
    ),
]
INTAKE, VERIFICATION, FULFILLMENT, DEADLINE = (
    intake_domain(),
    VerificationDomain(KEYRING, Limits()),
    FulfillmentDomain(Catalogue(ENTRIES)),
    DeadlineDomain(),
)
DOMAINS: dict[str, Any] = {
    "intake": INTAKE,
    "verification": VERIFICATION,
    "fulfillment": FULFILLMENT,
    "deadline": DEADLINE,
}
MOST_TURNS = 5_000
Act = Callable[[], None]
Outside = Callable[["Life", str, str], None]


@dataclass
class Life:
    """One request, from whoever asks to the destruction of its key."""

    number: int
    person: Person
    trouble: Trouble
    chance: random.Random
    perform: Outside
    hears: Callable[["Life", Sent], None]
    pace: Any = None
    driven_by: type[DomainDriver[Any]] = LeanDriver
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        self.request_id: UUID = uuid5(REQUEST, f"life {self.number}")
        self.now = self.person.arrives_at
        self.messages = Messages(self.request_id)
        self.drivers: dict[str, DomainDriver[Any]] = {
            service: self.driven_by(DOMAINS[service], self.now, self.request_id) for service in SERVICES
        }
        self.drivers["deadline"].facts = self.pace
        self.open: set[tuple[str, str]] = set()
        self.begun: set[str] = set()
        self.seen_to: set[str] = set()
        self.codes: list[str] = []
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._turn = count()
        self._planned = dict.fromkeys(SERVICES, 0)
        self._woken: dict[str, datetime] = {}

    def at(self, when: datetime, act: Act) -> None:
        """Have something happen outside of the services."""
        heapq.heappush(self._agenda, (when, next(self._turn), act))

    def up_from(self, part: str, when: datetime) -> datetime:
        """When a part is there, which is counted where somebody has to wait for it."""
        there = self.trouble.up_from(part, when)
        self.told.waited[part] += there > when
        return there

    def live(self) -> Told:
        """Let everything happen, in the order of time, until nothing is left to happen."""
        while self._agenda:
            self.now, turn, act = heapq.heappop(self._agenda)
            assert turn < MOST_TURNS, "a life turns in circles"
            act()
        for service, driver in self.drivers.items():
            assert driver.wake_at is None, f"{service} waits for ever"
        return self.told

    def deliver(self, service: str, message: Message, after: timedelta = timedelta(0)) -> None:
        """A service hears something as soon as it is there; some records come twice."""
        self._when_up(service, self.now + after, lambda: self._take(service, message))
        if message.kind != "local" and self.chance.random() < self.person.twice:
            again = after + timedelta(hours=self.chance.random() * 50)
            self._when_up(service, self.now + again, lambda: self._take(service, message))

    def finish(self, service: str, key: str, status: Any = "done", **result: Any) -> None:
        """A task ended; its service is up, since it ran it."""
        if status != "needs_person":
            self.open.discard((service, key))
        driver = self._driver(service)
        driver.finish(key, status, **result)
        self._after(service)

    def again(self, service: str, key: str, when: datetime) -> None:
        """A task is looked at once more."""
        self._when_up(service, when, lambda: self._run(service, key))

    def on_topic(self, message: Message, topic: str) -> Message:
        """A command on a vendor's own topic."""
        return replace(message, topic=topic)

    def local(self, body: Event, facts: Any = None) -> Message:
        """Something that a service says to itself."""
        number = uuid5(self.request_id, f"local {next(self._turn)}")
        return Message(
            id=number,
            ce_type="local",
            source="local",
            kind="local",
            request_id=self.request_id,
            body=body,
            at=self.now,
            business="cascadia",
            facts=facts,
        )

    def _take(self, service: str, message: Message) -> None:
        step = self._driver(service).deliver(message)
        if step.refusal is not None:
            self.told.refused(self.now, message, step.refusal)
        self._after(service)

    def _wake(self, service: str) -> None:
        driver = self._driver(service)
        self._woken.pop(service, None)
        if driver.wake_at is not None and driver.wake_at <= self.now:
            driver.wake()
        self._after(service)

    def _after(self, service: str) -> None:
        """Send what was said, run what was planned, and remember when to wake."""
        driver = self.drivers[service]
        sent, driver.sent[:] = tuple(driver.sent), ()
        for one in sent:
            self.told.said(self.now, one)
            self.hears(self, one)
            self._carry(driver, one)
        for key in list(driver.tasks)[self._planned[service] :]:
            self._plan(service, key)
        self._planned[service] = len(driver.tasks)
        hurried, driver.hurried[:] = tuple(driver.hurried), ()
        for key in hurried:
            self.again(service, key, self.now)
        if driver.wake_at is not None and driver.wake_at != self._woken.get(service):
            self._woken[service] = driver.wake_at
            self._when_up(service, driver.wake_at, lambda: self._wake(service))

    def _carry(self, driver: DomainDriver[Any], sent: Sent) -> None:
        topic = sent.body.declared.topic
        message = driver.read_back(sent)
        for reader in topic.readers:
            if reader in self.drivers:
                self.deliver(reader, self._prepared(reader, message), self.person.lags[reader])

    def _prepared(self, reader: str, message: Message) -> Message:
        """What verification's `prepare` would have found."""
        if reader == "verification" and isinstance(message.body, RequestReceived):
            return replace(message, facts=Findings(claims=CLAIMED))
        return message

    def _plan(self, service: str, key: str) -> None:
        plan = self.drivers[service].tasks[key]
        self.told.tasks[service, key] = plan
        self.open.add((service, key))
        self.again(service, key, max(plan.run_at or self.now, self.now))

    def _run(self, service: str, key: str) -> None:
        """Ask whether the task may go on, as the runner does, and do what it is for."""
        if (service, key) not in self.open:
            return
        allowed = self._driver(service).permit(key)
        if isinstance(allowed, Wait):
            self.again(service, key, allowed.until)
        elif isinstance(allowed, Stop):
            self.finish(service, key, "canceled", reason=allowed.reason)
        else:
            self.perform(self, service, key)

    def _driver(self, service: str) -> DomainDriver[Any]:
        driver = self.drivers[service]
        driver.now = self.now
        return driver

    def _when_up(self, service: str, when: datetime, act: Act) -> None:
        self.at(self.up_from(service, max(when, self.now)), act)
