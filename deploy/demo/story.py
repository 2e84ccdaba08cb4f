"""The main job as a story: requests come in, the clock moves, one is extended, one is denied, all are closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from deploy.commands import send_command
from deploy.demo.accounts import IdentityProvider
from deploy.demo.desk import Receipt, Upstream, WebDesk, code_for
from deploy.demo.plan import Ask
from deploy.demo.processes import Services
from deploy.demo.world import World
from shared.events.commands import ExtendDeadline

VERIFY_BY_PASSES = timedelta(days=36)
EXTENSION_IS_ASKED = timedelta(days=4)
AFTER_THE_FIRST_DATE = timedelta(days=10)
SETTLING = timedelta(hours=1)
WAIT_SECONDS = 180.0
Say = Callable[[str], None]


@dataclass(slots=True)
class Story:
    """One run: what was asked, and under which request each ask went in."""

    world: World
    asks: list[Ask[Any]]
    say: Say
    receipts: dict[UUID, Ask[Any]] = field(default_factory=dict)

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
            await self._the_hard_ones(web, upstream)
        self.say("every request is closed")

    async def _the_hard_ones(self, web: WebDesk, upstream: Upstream) -> None:
        ordinary = len(self.receipts)
        self.say("the dealer-management system goes away for maintenance; two more people ask")
        await self.world.business.take_dms_away()
        late = await self._submit(next(ask for ask in self.asks if ask.role == "late"), web, upstream)
        await self._submit(next(ask for ask in self.asks if ask.role == "silent"), web, upstream)
        watch = self.world.watch
        await watch.until(
            lambda: late.request_id in watch.seen and bool(watch.seen[late.request_id].verified),
            seconds=WAIT_SECONDS,
            what="the late request was verified",
        )
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
        key = f"demo-{self.world.run}-{ask.person.customer_id}-{ask.right}"
        if ask.via == "kafka":
            receipt = await upstream.submit(
                {**body, "received_at": self.world.clock.now().isoformat()}, key=key
            )
        else:
            receipt = await web.submit(body, key=key)
        self.receipts[receipt.request_id] = ask
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
    if ask.proof == "assertion":
        claims["assertion"] = accounts.assertion(person.email, subject=person.customer_id)
    return claims


async def watch_over(services: Services) -> None:
    """Raise as soon as a service ends by itself; runs beside the story."""
    while True:
        services.check()
        await asyncio.sleep(0.5)
