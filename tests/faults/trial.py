"""One trial: people ask, a fault is injected while they wait, and everything must end as if nothing had happened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

from bench.pace import pause
from deploy.demo.cascadia.before import Where
from deploy.demo.cascadia.places import RENTED
from deploy.demo.plan import Proof, Via
from shared.events.deadline import RequestClosed
from tests.faults.record import Tally, watched_stalls
from tests.faults.world import World
from tests.support.eventually import eventually_async
from tests.support.proven import assert_told
from tests.support.requester import Requester, fill_in, send
from tests.support.town import Wanted

RIGHTS = ("delete", "opt_out", "delete", "know_specific")
WAYS: tuple[Via, Via] = ("http", "kafka")
PATIENCE = 90.0
DRAINS_WITHIN = 150.0


@dataclass
class Trial:
    """What was asked under one fault, and what it has cost so far."""

    world: World
    tally: Tally
    requesters: list[Requester] = field(default_factory=list)
    told: Callable[[Requester], Awaitable[object]] = assert_told
    asking: int = 0
    lifted_at: float | None = None

    @property
    def closed(self) -> int:
        tape = self.world.running.tape
        return sum(tape.find(one.request_id, RequestClosed) is not None for one in self.requesters)

    @property
    def in_flight(self) -> int:
        return self.asking + len(self.requesters) - self.closed

    def inject(self, times: int = 1) -> None:
        """A fault happens now."""
        self.tally.injected += times
        self.tally.in_flight.append(self.in_flight)
        self.lifted_at = None

    def lift(self) -> None:
        """The last fault is over: from now on everything has to drain."""
        self.lifted_at = asyncio.get_running_loop().time()

    async def ask_one(
        self, right: str = "delete", via: Via = "http", wanted: Wanted = lambda _: True
    ) -> Requester:
        """A person who asks until there is an answer."""
        person = self.world.running.town.somebody(wanted)
        key = f"{self.tally.fault[:20]}-{person.customer_id}-{len(self.requesters)}".replace(" ", "-")
        proof: Proof = "none" if right == "opt_out" else "assertion"
        form = fill_in(self.world.running, person, right, via=via, proof=proof, key=key)

        async def attempt() -> Requester:
            try:
                return await send(self.world.running, form)
            except (httpx2.TransportError, OSError) as away:
                raise AssertionError("intake is away") from away

        self.asking += 1
        try:
            requester = await eventually_async(attempt, within=PATIENCE)
        finally:
            self.asking -= 1
        self.requesters.append(requester)
        self.tally.asked += 1
        return requester

    async def ask(self, number: int, *, each: float = 0.0) -> Sequence[Requester]:
        """So many people, one each `each` seconds, whoever of them still waits for an answer."""
        async with asyncio.TaskGroup() as group:
            asked = []
            for one in range(number):
                right, via = RIGHTS[one % len(RIGHTS)], WAYS[one // 2 % 2]
                asked.append(group.create_task(self.ask_one(right, via)))
                if each:
                    await pause(each)
        return [one.result() for one in asked]

    async def ends_well(self, within: float) -> None:
        """Everybody is answered in time, once, and nothing was done twice."""
        tape = self.world.running.tape
        if self.lifted_at is None:
            self.lift()
        try:
            await tape.until(lambda: not self.in_flight, within=within, what="the end of every request")
        finally:
            self.tally.lost = self.in_flight
            self.tally.drained_in = asyncio.get_running_loop().time() - (self.lifted_at or 0.0)
        town = self.world.running.town
        self.tally.twice = len(await (await town.audit()).effects_twice())
        assert self.tally.twice == 0
        for requester in self.requesters:
            assert (await requester.closed()).in_time
            await self.told(requester)
        await self._done_as_asked()

    async def _done_as_asked(self) -> None:
        town = self.world.running.town
        audit = await town.audit()
        assert audit.bystanders_touched(town.changed) == ()
        for one in self.requesters:
            closed = await one.closed()
            if closed.resolution in {"complete", "partial"} and one.right == "delete":
                assert reached(audit.rows_left(one.person)) == []
            if closed.resolution in {"complete", "partial"} and one.right == "opt_out":
                assert reached(audit.not_opted_out(one.person)) == []


def reached(rows: Sequence[Where]) -> list[Where]:
    """Of these rows those of the systems that the fault world is connected to."""
    return [where for where in rows if where[0] not in RENTED]


@asynccontextmanager
async def trial(world: World, fault: str, *, within: float = DRAINS_WITHIN) -> AsyncIterator[Trial]:
    """Inject inside the block; at its end all faults are lifted and everything must end well."""
    found = Trial(world, Tally(fault))
    tape = world.running.tape
    world.note(found.inject)
    try:
        async with watched_stalls(found.tally, lambda: len(tape.records), lambda: found.in_flight > 0):
            yield found
            world.heal()
            await found.ends_well(within)
    except BaseException:
        world.heal()
        # What this trial left down would fail every one that comes after it.
        for proxy in world.proxies:
            await proxy.on()
        await asyncio.to_thread(world.services.revive)
        raise
    finally:
        world.heal()
        world.note(lambda: None)
        found.tally.write()
    assert found.tally.injected > 0, "a trial without a fault proves nothing"
