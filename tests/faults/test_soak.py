"""A thousand small faults under steady load: every kind that a network and a database bring, one on top of another."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import asyncpg
import pytest

from bench.pace import pause
from shared.events.topics import SERVICES
from shared.tasks.runner import LONGEST_BACKOFF
from tests.faults.ears import Hears, commit_of, produced_by
from tests.faults.proxy import Trap
from tests.faults.trial import Trial, trial
from tests.faults.world import World

pytestmark = [pytest.mark.connected, pytest.mark.durable, pytest.mark.fault, pytest.mark.long]

FAULTS = 1000
EVERY_SECONDS = 0.3
ASKED, EACH_SECONDS = 400, 0.8
HALF_OPEN_SECONDS = 0.5
WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()"


@pytest.mark.timeout(1500)
async def test_a_thousand_small_faults_cost_no_request_and_do_nothing_twice(world: World) -> None:
    chance = random.Random(11)  # noqa: S311 - repeatable, not secret
    async with trial(world, "soak of small faults", within=300) as found:
        asking = asyncio.get_running_loop().create_task(found.ask(ASKED, each=EACH_SECONDS))
        kinds = Kinds(world, found, chance).all
        while found.tally.injected < FAULTS:
            await chance.choice(kinds)()
            await pause(chance.uniform(0, 2 * EVERY_SECONDS))
        world.heal()
        found.lift()
        await asking
        found.lift()
        # Tasks that failed a dozen times wait for a quarter of an hour, which passes now.
        world.running.clock.advance(LONGEST_BACKOFF)


@dataclass(frozen=True)
class Kinds:
    """The small faults; those of a trap count when they happen."""

    world: World
    found: Trial
    chance: random.Random

    @property
    def all(self) -> list[Callable[[], Awaitable[None]]]:
        lost = [self.lose_commit, self.lose_commit, self.lose_acknowledgement, self.lose_effect]
        return [self.cut, self.cut, self.cut, *lost, self.end_backend, self.half_open, self.slow]

    async def cut(self) -> None:
        if cut := self.chance.choice(self.world.proxies).cut(self.chance.choice([1, 1, 2])):
            self.found.inject(cut)

    async def lose_commit(self) -> None:
        hears = commit_of(self.chance.choice(["UPDATE cases", "UPDATE tasks"]))
        self.world.databases[self.chance.choice(SERVICES)].trap(self._trap(hears))

    async def lose_acknowledgement(self) -> None:
        self.world.kafka.trap(self._trap(produced_by(self.chance.choice(SERVICES))))

    async def lose_effect(self) -> None:
        self.world.systems.trap(self._trap(commit_of(self.chance.choice(["DELETE", "UPDATE"]))))

    async def end_backend(self) -> None:
        async with self.world.running.installation.admin() as admin:
            if await _end_one(admin, f"habeas-{self.chance.choice(SERVICES)}", self.chance):
                self.found.inject()

    async def half_open(self) -> None:
        proxy = self.chance.choice(self.world.proxies)
        proxy.freeze()
        self.found.inject()
        await pause(HALF_OPEN_SECONDS)
        proxy.thaw()

    async def slow(self) -> None:
        proxy = self.chance.choice(self.world.proxies)
        proxy.delay = (0.0, 0.05) if proxy.delay is None else None
        self.found.inject()

    def _trap(self, hears: Hears) -> Trap:
        return Trap(hears, self.chance.choice(WHEN))


async def _end_one(admin: asyncpg.Connection, application: str, chance: random.Random) -> bool:
    """End one of a service's sessions, as an administrator or a failover would."""
    pids = [row["pid"] for row in await admin.fetch(BACKENDS, application)]
    return bool(pids and await admin.fetchval("SELECT pg_terminate_backend($1)", chance.choice(pids)))
