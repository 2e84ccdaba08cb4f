"""Requesters, staff and upstream systems: they ask, prove, take back, forbid and repeat themselves."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from services.intake.messages import HTTP, PresentProof, SubmitRequest, WithdrawRequest
from services.intake.submission import Submission
from shared.database import TRANSIENT
from shared.events import envelope
from shared.events.commands import (
    CompleteTask,
    ExtendDeadline,
    PlaceHold,
    ReleaseHold,
    RequestSubmitted,
    RetryTask,
    Withdraw,
    WithdrawalSubmitted,
)
from shared.events.envelope import Envelope
from shared.events.message import Body, Event
from shared.ids import new_id, request_id_for
from shared.machine.decision import Message
from shared.signing import encrypt_submission
from tests.simulation.services import DECRYPTION, DESK
from tests.simulation.systems import email
from tests.simulation.workers import Worker

if TYPE_CHECKING:
    from tests.simulation.world import World

UPSTREAM = "upstream/call-center"
RIGHTS = ("delete", "delete", "delete", "know", "opt_out", "know_categories")


@dataclass
class Asked:
    """One request as its requester sees it."""

    request_id: UUID
    person: int
    right: str
    via: Literal["http", "upstream"]
    key: str
    acknowledged: bool = False
    codes: list[str] = field(default_factory=list)
    holds: list[UUID] = field(default_factory=list)
    withdrawn: bool = False


class People:
    """Everybody outside."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.asked: dict[UUID, Asked] = {}
        self.wishes: dict[str, tuple[Asked, Message]] = {}
        self.mailed: dict[UUID, list[str]] = defaultdict(list)
        self.nonsense = 0
        self._calls = 0

    def submit(self, people: int, rights: Sequence[str]) -> None:
        """Ask for something, over HTTP or by telephone."""
        chance = self._world.chance
        self.ask(chance.randrange(people), chance.choice(rights), chance.choice(("http", "upstream")))

    def ask(self, number: int, right: str, via: Literal["http", "upstream"]) -> Asked:
        """One person's request."""
        key = f"submission-{len(self.asked)}"
        request_id = request_id_for(HTTP if via == "http" else UPSTREAM, key)
        asked = Asked(request_id, number, right, via, key)
        self.asked[request_id] = asked
        if via == "http":
            self._wish(asked, SubmitRequest(submission=_submission(number, right)), business="cascadia")
        else:
            self._telephone(asked)
        return asked

    def call(self) -> None:
        """Try one of the wishes over HTTP; whoever gets no answer tries again with the same key."""
        worker = self._world.worker_of("intake")
        if not self.wishes or worker is None:
            return
        name = self._world.chance.choice(list(self.wishes))
        self._calls += 1
        worker.process.start(f"http-{self._calls}", self._try(worker, name))

    def hears_code(self, request_id: UUID, code: str) -> None:
        """A mail arrived; some are lost although the server took them."""
        self.mailed[request_id].append(code)
        if self._world.chance.random() > 0.2:
            self.asked[request_id].codes.append(code)

    def prove(self) -> None:
        """Type a code, or a wrong one."""
        chance = self._world.chance
        knowing = [one for one in self.asked.values() if one.codes]
        if knowing:
            asked = chance.choice(knowing)
            self.type(asked, asked.codes.pop() if chance.random() < 0.8 else "00000000")

    def prove_all(self) -> None:
        """Everybody types the code that the mail brought."""
        for asked in self.asked.values():
            if self.mailed[asked.request_id]:
                self.type(asked, self.mailed[asked.request_id][-1])

    def type(self, asked: Asked, code: str) -> None:
        """Send a code from a form."""
        self._wish(asked, PresentProof(code=code))

    def withdraw(self) -> None:
        """Take a request back, by any way there is."""
        asked = self._any()
        if asked is None:
            return
        asked.withdrawn = True
        ways: list[Callable[[], None]] = [
            lambda: self.take_back(asked),
            lambda: self.command(asked.request_id, Withdraw(actor="staff")),
        ]
        if asked.via == "upstream":
            ways.append(lambda: self._taken_back(asked))
        self._world.chance.choice(ways)()

    def take_back(self, asked: Asked) -> None:
        """Take this request back, by a form."""
        asked.withdrawn = True
        self._wish(asked, WithdrawRequest())

    def hold(self, asked: Asked | None = None) -> None:
        """Somebody must keep what there is."""
        asked = asked or self._any()
        if asked is not None:
            asked.holds.append(new_id())
            self.command(
                asked.request_id, PlaceHold(hold_id=asked.holds[-1], actor="counsel", reason="litigation")
            )

    def release(self, *, everything: bool = False) -> None:
        """The duty is over."""
        for asked in self.asked.values():
            for hold_id in asked.holds:
                if everything or self._world.chance.random() < 0.5:
                    self.command(asked.request_id, ReleaseHold(hold_id=hold_id, actor="counsel"))
            if everything:
                asked.holds.clear()

    def two_sources(self) -> None:
        """The command line and the console give two commands the same number: both of them count."""
        asked = self._any()
        if asked is None:
            return
        number = new_id()
        for source in ("habeas/cli", "habeas/console"):
            asked.holds.append(new_id())
            body = PlaceHold(hold_id=asked.holds[-1], actor="counsel", reason="litigation")
            self.command(asked.request_id, body, source=source, number=number)

    def retry(self) -> bool:
        """Mend what stopped the tasks; whether there were any."""
        tasks = self._world.databases["fulfillment"].tables.tasks.values()
        stuck = [task for task in tasks if task.state == "needs_person"]
        for task in stuck:
            body = RetryTask(task=task.new.plan.key, actor="staff", reason="mended")
            self.command(task.new.request_id, body)
        return bool(stuck)

    def complete(self) -> bool:
        """Answer for what still waits at systems after everything was tried again; whether there was any."""
        tasks = self._world.databases["fulfillment"].tables.tasks.values()
        stuck = [task for task in tasks if task.state == "needs_person"]
        for task in stuck:
            body = CompleteTask(
                task=task.new.plan.key, outcome="done", actor="staff", reason="looked into", evidence="SUP-1"
            )
            self.command(task.new.request_id, body)
        return bool(stuck)

    def extend(self, asked: Asked | None = None) -> None:
        """Ask for more time."""
        asked = asked or self._any()
        if asked is not None:
            self.command(asked.request_id, ExtendDeadline(reasons=("many records",), actor="staff"))

    def register_again(self) -> None:
        """Somebody comes back: these rows are not part of any request made before."""
        asked = self._any()
        if asked is not None:
            self._world.business.register(asked.person, self._world.clock.now())

    def import_old_rows(self) -> None:
        """A system takes over old rows, dated back: not part of what was found before."""
        asked = self._any()
        if asked is not None:
            self._world.business.register(asked.person)

    def garbage(self) -> None:
        """What nobody can read."""
        self.nonsense += 1
        self._world.put("dsar.submissions", "nothing", {"ce_type": "nonsense"}, b"{")

    def command(
        self, request_id: UUID, body: Body, *, source: str = "habeas/cli", number: UUID | None = None
    ) -> None:
        """A person's command lies on its topic, sometimes twice."""
        key = str(request_id)
        head = Envelope(
            id=number or new_id(),
            source=source,
            ce_type=body.declared.ce_type,
            subject=request_id,
            time=self._world.clock.now(),
            sequence=None,
            business="cascadia",
            correlation_id=key,
            traceparent="",
            signature="signed",
        )
        for _ in range(1 if self._world.chance.random() < 0.8 else 2):
            self._world.put(
                body.declared.topic.name, key, envelope.write(head), body.model_dump_json().encode()
            )

    def _any(self) -> Asked | None:
        return self._world.chance.choice(list(self.asked.values())) if self.asked else None

    def _wish(self, asked: Asked, body: Event, *, business: str = "") -> None:
        message = Message(
            id=new_id(),
            ce_type=f"local.{type(body).__name__}",
            source=HTTP,
            kind="local",
            request_id=asked.request_id,
            body=body,
            at=self._world.clock.now(),
            business=business,
        )
        self.wishes[str(message.id)] = (asked, message)

    async def _try(self, worker: Worker, name: str) -> None:
        if name not in self.wishes:
            return
        asked, message = self.wishes[name]
        try:
            result = await worker.batcher.submit(message)
        except TRANSIENT:
            return
        self.wishes.pop(name, None)
        if isinstance(message.body, SubmitRequest):
            assert result.refusal is None, f"a submission was refused: {result.refusal}"
            asked.acknowledged = True

    def _telephone(self, asked: Asked) -> None:
        claims: dict[str, Any] = {
            "right": asked.right,
            "residency": "US-CA",
            "email": email(asked.person),
            "channel": "phone",
            "received_at": self._world.clock.now().isoformat(),
        }
        sealed = encrypt_submission(json.dumps(claims).encode(), DECRYPTION.public_jwks()[0])
        self._upstream(asked, RequestSubmitted(claims=sealed))

    def _taken_back(self, asked: Asked) -> None:
        self._upstream(asked, WithdrawalSubmitted(withdrawn_at=self._world.clock.now()))

    def _upstream(self, asked: Asked, body: Body) -> None:
        head = {
            "ce_specversion": "1.0",
            "ce_id": str(new_id()),
            "ce_source": UPSTREAM,
            "ce_type": body.declared.ce_type,
            "ce_time": self._world.clock.now().isoformat(),
            "ce_business": "cascadia",
        }
        for _ in range(1 if self._world.chance.random() < 0.8 else 2):
            self._world.put("dsar.submissions", asked.key, head, body.model_dump_json().encode())


def _submission(number: int, right: str) -> Submission:
    application = {"right": right, "residency": "US-CA", "email": email(number)}
    found = DESK.read(json.dumps(application).encode())
    assert isinstance(found, Submission)
    return found
