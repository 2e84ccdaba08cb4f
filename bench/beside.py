"""Ordinary requests beside a list, through what production runs: shell, task store, runner, lanes, handlers, relay.

A list of people becomes as many cases of the fulfillment service, all verified, with an act task each; while their
tasks run, a few more come whose date is nearer. Each of these is timed from when the service hears of it to when its
RequestFulfilled lies in the outbox: found, frozen, done, read back, decided. First the few come alone.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from bench.pace import pause
from services.fulfillment.app import assemble
from services.fulfillment.connecting import connect
from shared.clock import SystemClock
from shared.dead_letter_seal import DeadLetterSeal
from shared.hosting import Host, open_resources
from shared.machine.decision import Message
from shared.privacy import Claims
from shared.settings import Settings
from shared.vault.vault import Vault
from tests.support.domain_driver import Messages
from tests.support.facts import received, verified

BUSINESS = "bench"
HEARD_AT_ONCE = 200
LOOK_SECONDS = 0.01
NEARER = timedelta(days=20)
MOST_SECONDS = 300.0
_ENDED = """
SELECT DISTINCT request_id FROM outbox WHERE topic = 'dsar.fulfilled' AND request_id = ANY($1::uuid[])"""
_WAITING = "SELECT count(*) FROM tasks WHERE state NOT IN ('done', 'canceled') AND handler = 'act'"
# What is left of a list when the next system's turn comes.
_LEAVE = "UPDATE tasks SET state = 'canceled' WHERE state NOT IN ('done', 'canceled')"


@dataclass(frozen=True, slots=True)
class Beside:
    """Seconds until the last of a few was fulfilled, alone and beside a list; how much of it still waited then."""

    alone: float
    beside: float
    list: int
    list_waiting: int

    @property
    def delay(self) -> float:
        """How much later for the list."""
        return round(self.beside - self.alone, 2)


@dataclass(frozen=True, slots=True)
class Service:
    """Fulfillment as it runs in production, told of requests by hand; `intake` seals what they claim."""

    host: Host
    intake: Vault

    async def hear(
        self, emails: Sequence[str], *, nearer: timedelta = timedelta(0), right: str = "delete"
    ) -> list[UUID]:
        """These people asked for deletion, or for another right, and are verified."""
        ids = [uuid4() for _ in emails]
        for start in range(0, len(ids), HEARD_AT_ONCE):
            some = ids[start : start + HEARD_AT_ONCE]
            await self.intake.create(some)
            told = [self._told(*one, nearer, right) for one in zip(some, emails[start:], strict=False)]
            await self.host.shell.handle([message for two in told for message in two])
        return ids

    def _told(self, request_id: UUID, email: str, nearer: timedelta, right: str) -> tuple[Message, Message]:
        now, messages = SystemClock().now(), Messages(request_id, business=BUSINESS)
        since = now - timedelta(minutes=1) - nearer
        first = messages.event(received(right, since, business=BUSINESS), at=now)
        sealed = self.intake.seal(request_id, first.id, "claims", Claims(email=email).to_bytes())
        body = received(right, since, business=BUSINESS, claims=sealed)
        who: dict[str, Any] = {
            "subject_hash": f"1:{request_id.hex * 2}",
            "concluded_at": now,
            "business": BUSINESS,
        }
        return replace(first, body=body), messages.event(verified(right, **who), at=now)

    async def all_ended(self, ids: Sequence[UUID], *, within: float = MOST_SECONDS) -> None:
        """Wait until each has a RequestFulfilled.

        Raises:
            TimeoutError: not within some minutes.
        """
        async with asyncio.timeout(within):
            while len(await self.host.resources.pool.fetch(_ENDED, ids)) < len(ids):
                await pause(LOOK_SECONDS)

    async def waiting(self) -> int:
        """How many tasks of the list are not over."""
        return int(await self.host.resources.pool.fetchval(_WAITING))


@asynccontextmanager
async def service(settings: Settings, folder: Path) -> AsyncIterator[Service]:
    """Start fulfillment over the systems of this folder, and stop it."""
    async with AsyncExitStack() as stack:
        resources = await open_resources(settings, "fulfillment", stack)
        intake = await open_resources(settings, "intake", stack)
        connected = connect(folder, settings.home, resources.clock)
        host = Host(resources, assemble(resources, connected), DeadLetterSeal(resources.vault))
        stack.push_async_callback(host.stop)
        await host.start()
        yield Service(host, intake.vault)


async def measure(
    settings: Settings, folder: Path, admin: asyncpg.Connection, people: Mapping[str, Sequence[str]]
) -> Beside:
    """The few alone, then others beside the list: `alone`, `listed` and `beside` are e-mail addresses."""
    async with service(settings, folder) as fulfillment:
        alone = await _timed(fulfillment, people["alone"])
        await fulfillment.hear(people["listed"])
        beside = await _timed(fulfillment, people["beside"])
        waiting = await fulfillment.waiting()
    await admin.execute("SET search_path = fulfillment")
    await admin.execute(_LEAVE)
    return Beside(round(alone, 2), round(beside, 2), len(people["listed"]), waiting)


async def _timed(fulfillment: Service, emails: Sequence[str]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await fulfillment.all_ended(await fulfillment.hear(emails, nearer=NEARER))
    return loop.time() - began


def told(found: dict[str, Beside]) -> dict[str, Any]:
    """As figures: by system."""
    return {
        "delay_seconds_through_runner": {name: one.delay for name, one in found.items()},
        "through_runner": {
            name: {
                "alone": one.alone,
                "beside": one.beside,
                "list": one.list,
                "waiting_then": one.list_waiting,
            }
            for name, one in found.items()
        },
    }
