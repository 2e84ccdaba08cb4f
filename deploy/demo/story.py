"""The main job as a story: requests come in, the clock moves, one is extended, one is denied, all are closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from deploy.commands import decide, send_command
from deploy.demo.accounts import IdentityProvider
from deploy.demo.desk import Receipt, Upstream, WebDesk, code_for
from deploy.demo.misspelt import correction
from deploy.demo.plan import DIFFICULT, Ask, Role
from deploy.demo.processes import Services
from deploy.demo.vendor_story import VendorStory
from deploy.demo.world import World
from shared.events.commands import ExtendDeadline, PlaceHold, ReleaseHold
from shared.events.fulfillment import TasksPlanned
from shared.events.message import Command
from shared.events.verification import VerificationConcluded

VERIFY_BY_PASSES = timedelta(days=36)
EXTENSION_IS_ASKED = timedelta(days=4)
AFTER_THE_FIRST_DATE = timedelta(days=10)
SETTLING = timedelta(hours=1)
WAIT_SECONDS = 180.0
PLANNED, VERIFIED = TasksPlanned.declared.ce_type, VerificationConcluded.declared.ce_type
Say = Callable[[str], None]


@dataclass(slots=True)
class Story:
    """One run: what was asked, and under which request each ask went in."""

    world: World
    asks: list[Ask[Any]]
    say: Say
    receipts: dict[UUID, Ask[Any]] = field(default_factory=dict)
    answers: dict[UUID, bytes] = field(default_factory=dict)
    given: dict[UUID, tuple[Receipt, Ask[Any]]] = field(default_factory=dict)
    vendors: VendorStory = field(init=False)

    def __post_init__(self) -> None:
        self.vendors = VendorStory(self.world, self.say)

    async def tell(self) -> None:
        """Submit everything, move the clock, and wait until the last request is closed.

        Raises:
            TimeoutError: something did not happen; the text says what.
        """
        async with self._desks() as (web, upstream):
            ordinary = [ask for ask in self.asks if ask.role == "ordinary"]
            self.say(
                f"{len(ordinary)} people ask, half over HTTP, half over Kafka; the parts office looks on paper"
            )
            for ask in ordinary:
                await self._submit(ask, web, upstream)
            await self._closed(len(ordinary), "the ordinary requests were closed")
            await self._collect(web)
            await self._the_strange_ones(web, upstream)
            await self._the_misspelt_one(web, upstream)
            await self._the_difficult_vendors(web, upstream)
            await self._the_hard_ones(web, upstream)
        self.say("every request is closed")

    async def _collect(self, web: WebDesk) -> None:
        """Everybody who asked over HTTP what is known of them fetches the answer, as the same person once more."""
        for receipt, ask in list(self.given.values()):
            if ask.right == "know_specific" and receipt.secret is not None:
                proof = self.world.accounts.assertion(ask.person.email, subject=ask.person.customer_id)
                self.answers[receipt.request_id] = await web.collect(receipt, proof)
        self.say(f"{len(self.answers)} of them collect their answers, each by a link for one use")

    async def _the_strange_ones(self, web: WebDesk, upstream: Upstream) -> None:
        """None of them may change what it should not, and each ends in its own way."""
        before = len(self.receipts)
        self.say("one person is known to nobody; one takes the request back while its tasks wait")
        await self._submit(self._one("unknown"), web, upstream)
        withdrawn, _ = await self._held(self._one("withdrawn"), web, upstream)
        await web.withdraw(withdrawn)
        self.say("one request waits for a legal hold; its person asks again by telephone, and joins it")
        first, duty = await self._held(self._one("held"), web, upstream)
        again = await self._submit(self._one("again"), web, upstream)
        await self._heard(again, VERIFIED, "the request that was made again was verified")
        await self._decided(first, ReleaseHold(hold_id=duty.hold_id, actor="demo-operator"))
        await self._closed(before + 4, "these four requests were closed")

    async def _the_misspelt_one(self, web: WebDesk, upstream: Upstream) -> None:
        """Programs set the name where the maps let them; people do elsewhere, also a vendor's."""
        before = len(self.receipts)
        self.say(
            "one's first name is misspelt: programs put it right in two databases, a rented service and the lists,"
            " people at two desks, on paper and at a vendor"
        )
        receipt = await self._submit(self._one("misspelt"), web, upstream)
        if self.world.vendors.at_work:
            await self.vendors.corrected(receipt.request_id)
        await self._closed(before + 1, "the correction was closed")

    async def _the_difficult_vendors(self, web: WebDesk, upstream: Upstream) -> None:
        """Whoever is told badly, or says what they may not, moves nothing that they should not."""

        async def submit(ask: Ask[Any]) -> UUID:
            return (await self._submit(ask, web, upstream)).request_id

        before = len(self.receipts)
        asks = {ask.role: ask for ask in self.asks if ask.role in DIFFICULT}
        if not asks:
            return
        await self.vendors.tell(asks, submit)
        await self._closed(before + len(asks), "the requests with difficult vendors were closed")

    async def _held(self, ask: Ask[Any], web: WebDesk, upstream: Upstream) -> tuple[Receipt, PlaceHold]:
        """A request that is verified and planned, and may not destroy anything yet."""
        receipt = await self._submit(replace(ask, proof="none"), web, upstream)
        duty = PlaceHold(hold_id=uuid4(), actor="demo-operator", reason="litigation about a sale")
        await self._decided(receipt, duty)
        await web.answer_code(receipt, await code_for(ask.person.email, self.world.stack.mail_dir))
        await self._heard(receipt, PLANNED, "the tasks of the held request were planned")
        return receipt, duty

    async def _decided(self, receipt: Receipt, body: Command) -> None:
        answer = await decide(self.world.settings, receipt.request_id, body)
        if answer.state != "accepted":
            raise TimeoutError(f"{type(body).__name__} was {answer.state} {answer.reason}")

    def _one(self, role: Role) -> Ask[Any]:
        return next(ask for ask in self.asks if ask.role == role)

    async def _heard(self, receipt: Receipt, kind: str, what: str) -> None:
        watch, about = self.world.watch, receipt.request_id
        await watch.until(
            lambda: about in watch.seen and kind in watch.seen[about].types, seconds=WAIT_SECONDS, what=what
        )

    async def _the_hard_ones(self, web: WebDesk, upstream: Upstream) -> None:
        ordinary = len(self.receipts)
        self.say("the dealer-management system goes away for maintenance; two more people ask")
        await self.world.business.take_dms_away()
        late = await self._submit(self._one("late"), web, upstream)
        await self._submit(self._one("silent"), web, upstream)
        await self._heard(late, PLANNED, "the late request's tasks were planned")
        self.say("36 days pass: whoever has not proved who they are is denied, so that the answer is in time")
        self.world.clock.advance(VERIFY_BY_PASSES)
        await self._closed(ordinary + 1, "the unverified request was denied and closed")
        self.say("day 40: the date of the request that waits for the system is extended, with reasons")
        self.world.clock.advance(EXTENSION_IS_ASKED)
        await self._extend(late)
        self.say(
            "day 50: the first date has passed; the system comes back, and the request ends in its new time"
        )
        self.world.clock.advance(AFTER_THE_FIRST_DATE)
        await self.world.business.bring_dms_back()
        self.world.clock.advance(SETTLING)
        await self._closed(ordinary + 2, "the extended request was closed")

    async def _extend(self, late: Receipt) -> None:
        await send_command(
            self.world.settings,
            late.request_id,
            ExtendDeadline(
                reasons=("The dealer-management system is away for maintenance until next week.",),
                actor="demo-operator",
            ),
        )
        watch = self.world.watch
        await watch.until(
            lambda: watch.seen[late.request_id].extended,
            seconds=WAIT_SECONDS,
            what="the extension took effect",
        )

    async def _submit(self, ask: Ask[Any], web: WebDesk, upstream: Upstream) -> Receipt:
        body = claims_of(ask, self.world.accounts)
        key = f"demo-{self.world.run}-{ask.person.customer_id}-{ask.right}-{ask.role}"
        if ask.via == "kafka":
            receipt = await upstream.submit(
                {**body, "received_at": self.world.clock.now().isoformat()}, key=key
            )
        else:
            receipt = await web.submit(body, key=key)
        self.receipts[receipt.request_id] = ask
        self.given[receipt.request_id] = (receipt, ask)
        if ask.proof == "code":
            code = await code_for(ask.person.email, self.world.stack.mail_dir)
            await web.answer_code(receipt, code)
        return receipt

    async def _closed(self, number: int, what: str) -> None:
        watch = self.world.watch
        await watch.until(
            lambda: sum(one.request_id in self.receipts for one in watch.closed()) >= number,
            seconds=WAIT_SECONDS + number,
            what=what,
        )
        self.world.services.check()

    @asynccontextmanager
    async def _desks(self) -> AsyncIterator[tuple[WebDesk, Upstream]]:
        web = WebDesk(self.world.services.url("intake"))
        key = await web.submission_key()
        settings = self.world.settings
        upstream = Upstream(settings.kafka_bootstrap, settings.namespace, key, self.world.clock)
        await upstream.start()
        try:
            yield web, upstream
        finally:
            await upstream.close()
            await web.close()


def claims_of(ask: Ask[Any], accounts: IdentityProvider) -> dict[str, Any]:
    """What the person writes into the form, or the upstream system into its record."""
    person = ask.person
    claims = {
        "right": ask.right,
        "residency": "US-CA",
        "requester": "subject",
        "channel": "web" if ask.via == "http" else "phone",
        "name": person.name,
        "email": person.email,
        "customer_id": person.customer_id,
    }
    if ask.right == "correct":
        claims["corrections"] = [correction(person).model_dump(mode="json")]
    if ask.proof == "assertion":
        claims["assertion"] = accounts.assertion(person.email, subject=person.customer_id)
    return claims


async def watch_over(services: Services) -> None:
    """Raise as soon as a service ends by itself; runs beside the story."""
    while True:
        services.check()
        await asyncio.sleep(0.5)
