"""The seeded scheduler: at each step it lets one thing happen, or go wrong; then it brings the world to rest."""

import asyncio
import random

from shared.database import TRANSIENT
from shared.events.topics import SERVICES
from shared.machine.shell import NOT_THE_MESSAGE
from tests.simulation.happenings import DAY, Action, arrive_late, what_befalls, what_people_do
from tests.simulation.loop import SimulatedLoop, determined
from tests.simulation.plan import Plan
from tests.simulation.points import KilledError, Waiting, adopting
from tests.simulation.rest import check_at_rest, check_what_is_set_aside, closed, pending, visibly_waiting
from tests.simulation.world import World

LONGEST_REST = 6_000


class Scheduler:
    """Runs one world for a number of steps, then to rest, then through a replay."""

    def __init__(
        self, seed: str, steps: int, chance: random.Random | None = None, plan: Plan | None = None
    ) -> None:
        self.seed = seed
        self.steps = steps
        self.taken = 0
        self.trace: list[str] = []
        self._drawn = chance
        self._planned = plan
        self._resting = False
        self._settling = False
        self._mended = False
        self._completed = False

    def run(self) -> None:
        """Raises AssertionError where something is not as it must be."""
        with determined(self.seed) as seeded:
            self.chance = self._drawn or seeded
            self.plan = self._planned or Plan.drawn(self.chance)
            self.loop = SimulatedLoop(self._quiet)
            self.loop.set_task_factory(adopting)
            self.world = World(self.loop, self.chance, people=self.plan.people, legacy=self.plan.legacy)
            try:
                self.loop.run_until_complete(self._story())
            finally:
                self._close()

    async def _story(self) -> None:
        self._over: asyncio.Future[None] = self.loop.create_future()
        for service in SERVICES:
            for number in range(self.plan.processes):
                self.world.begin(service, number)
        if self.plan.proved:
            await self._all_have_asked()
        await self._over
        self._begin_rest()
        await self._over
        if self.world.unsendable:
            check_what_is_set_aside(self.world)
            self.world.unblock()
            self._begin_rest()
            await self._over
        check_at_rest(self.world)
        await self._replayed()

    async def _all_have_asked(self) -> None:
        people, plan = self.world.people, self.plan
        for _ in range(plan.requests):
            people.submit(plan.people, plan.rights)
        await self._settled()
        people.prove_all()
        self._resting = False
        self._over = self.loop.create_future()

    async def _settled(self) -> None:
        """Until nothing moves, without letting days pass, and with nothing going wrong."""
        self._settling = True
        self._begin_rest()
        await self._over
        self._settling = False

    async def _replayed(self) -> None:
        """Everything is read again from the beginning: no row and no line of the ledger changes."""
        before = self.world.snapshot()
        for worker in self.world.workers:
            self.world.log.rewind(worker.process.service, worker.topics)
        self._begin_rest()
        await self._over
        after = self.world.snapshot()
        for name, rows in before.items():
            assert rows == after[name], f"a replay changed {name}"

    def _begin_rest(self) -> None:
        self._resting, self._rested, self._naps = True, 0, 0
        self.world.log.stalled.clear()
        self._over = self.loop.create_future()

    def _quiet(self, timeout: float | None) -> None:
        """Nothing goes on by itself: the next step."""
        if self._over.done():
            return
        self._raise_errors()
        if self._resting:
            self._rest(timeout)
        elif self.taken >= self.steps:
            self._over.set_result(None)
        else:
            self.taken += 1
            self._step(timeout)

    def _raise_errors(self) -> None:
        if self.world.auditor.broken:
            raise self.world.auditor.broken[0]
        while self.world.errors:
            error = self.world.errors.pop()
            if not isinstance(error, (*NOT_THE_MESSAGE, *TRANSIENT, KilledError)):
                raise error

    def _step(self, timeout: float | None) -> None:
        actions = self._actions(timeout)
        names = list(actions)
        name = self.chance.choices(names, [actions[each][0] for each in names])[0]
        self.trace.append(name)
        actions[name][1]()

    def _actions(self, timeout: float | None) -> dict[str, tuple[float, Action]]:
        """What may happen now, with how likely it is."""
        world, faults = self.world, self.plan.faults
        actions: dict[str, tuple[float, Action]] = {"tick": (3.0, lambda: self._tick(timeout))}
        if world.waiting:
            actions["go"] = (40.0, self._resume)
        for worker in world.workers:
            for name, turn in worker.ready().items():
                place = f"{worker.process.name}.{name}"
                actions[place] = (6.0, lambda w=worker, n=name, t=turn: w.process.start(n, t()))  # type: ignore[misc]
            if not worker.process.alive:
                where = (worker.process.service, worker.process.number)
                actions[f"begin {worker.process.name}"] = (8.0, lambda at=where: world.begin(*at))  # type: ignore[misc]
            elif "crash" in faults:
                kill = worker.process.kill
                actions[f"kill {worker.process.name}"] = (0.12, kill)
        actions.update(what_people_do(world, self.plan))
        actions.update(what_befalls(world, self.plan))
        return actions

    def _resume(self) -> None:
        waiting = self.chance.choice(self.world.waiting)
        fate = "go"
        if waiting.fates and "points" in self.plan.faults and self.chance.random() < self.plan.failing:
            fate = self.chance.choice(waiting.fates)
        self.trace[-1] = f"{waiting.process.name} {waiting.place} {fate}"
        self._wake(waiting, fate)

    def _wake(self, waiting: Waiting, fate: str) -> None:
        self.world.waiting.remove(waiting)
        if not waiting.future.done():
            waiting.future.set_result(fate)  # type: ignore[arg-type]

    def _tick(self, timeout: float | None) -> None:
        step = self.chance.choice((0.1, 1.0, 5.0, 20.0))
        self.world.pass_time(step if timeout is None or step < timeout else timeout + 0.001)

    def _rest(self, timeout: float | None) -> None:
        """Everything works again; whatever can go on goes on, and time passes when nothing can."""
        self._rested += 1
        assert self._rested < LONGEST_REST, "the world does not come to rest"
        world = self.world
        if world.waiting:
            self._wake(world.waiting[0], "go")
        elif world.late:
            arrive_late(world)
        elif not self._starts() and not self._later(timeout):
            self._over.set_result(None)

    def _starts(self) -> bool:
        world = self.world
        for worker in world.workers:
            if not worker.process.alive:
                world.begin(worker.process.service, worker.process.number)
                return True
            for name, turn in worker.ready().items():
                if name != "parked":
                    # As a loop that polls: what another process holds under a lease comes free some time.
                    world.pass_time(0.2)
                    worker.process.start(name, turn())
                    return True
        if world.people.wishes:
            world.people.call()
            return True
        return False

    def _later(self, timeout: float | None) -> bool:
        """Let time pass to whatever comes next, unless all that is left is waiting for years."""
        world = self.world
        if timeout is not None:
            world.pass_time(timeout + 0.001)
            return True
        if self._settling:
            return self._moves_on()
        world.people.release(everything=True)
        if not self._mended:
            self._mended = True
            world.people.retry()
        if self._starts():
            return True
        if not pending(world) and all(
            closed(world, one) or visibly_waiting(world, one) for one in world.people.asked
        ):
            return self._answered_for()
        # The longer nothing comes of it, the longer everybody sleeps: some tasks look again every few minutes.
        self._naps += 1
        world.pass_time(max(self._next(), min(DAY / 4, 2.0 ** (self._naps / 8))))
        return True

    def _moves_on(self) -> bool:
        """Whether anything is left to happen before what was begun has settled."""
        return False

    def _answered_for(self) -> bool:
        """At the very end somebody looks into the systems where no machine knew what was done."""
        if self._completed:
            return False
        self._completed = True
        return self.world.people.complete() and self._starts()

    def _next(self) -> float:
        """Seconds until the next date, lease or retry."""
        now, times = self.world.clock.now(), [DAY]
        for database in self.world.databases.values():
            tables = database.tables
            times += [(row.wake_at - now).total_seconds() for row in tables.cases.values() if row.wake_at]
            times += [
                (task.run_at - now).total_seconds()
                for task in tables.tasks.values()
                if task.state in {"queued", "ambiguous"}
            ]
            times += [
                task.lease_until - tables.seconds + 0.001
                for task in tables.tasks.values()
                if task.lease_until
            ]
        return min((each for each in times if each > 0), default=DAY)

    def _close(self) -> None:
        for worker in self.world.workers:
            worker.process.kill()
        self._over = self.loop.create_future()
        self._over.set_result(None)
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.close()
