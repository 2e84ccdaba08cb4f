"""The seeded scheduler: at each step it lets one thing happen, or go wrong; then it brings the world to rest."""

import asyncio
import random
from collections.abc import Callable

from shared.database import TRANSIENT
from shared.events.topics import SERVICES
from shared.machine.shell import NOT_THE_MESSAGE
from tests.simulation.log import PARTITIONS
from tests.simulation.loop import SimulatedLoop, determined
from tests.simulation.plan import Plan
from tests.simulation.points import KilledError, Waiting, adopting
from tests.simulation.rest import check_at_rest, check_what_is_set_aside, closed, pending, visibly_waiting
from tests.simulation.world import World

DAY = 86_400.0
LONGEST_REST = 6_000
Action = Callable[[], object]


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
        actions.update(self._people())
        actions.update(self._accidents(faults))
        return actions

    def _people(self) -> dict[str, tuple[float, Action]]:
        people, faults, plan = self.world.people, self.plan.faults, self.plan
        found: dict[str, tuple[float, Action]] = {
            "prove": (1.0, people.prove),
            "extend": (0.2, people.extend),
        }
        if len(people.asked) < plan.requests:
            found["submit"] = (3.0, lambda: people.submit(plan.people, plan.rights))
        if people.wishes:
            found["call"] = (6.0, people.call)
        if "hold" in faults:
            found |= {
                "hold": (0.8, people.hold),
                "release": (0.4, people.release),
                "two sources": (0.1, people.two_sources),
            }
        if "withdraw" in faults:
            found["withdraw"] = (0.3 * plan.urgency, people.withdraw)
        if "people" in faults:
            found |= {
                "register again": (0.5, people.register_again),
                "old rows": (0.3, people.import_old_rows),
                "retry": (0.4, people.retry),
            }
        if "garbage" in faults:
            found["garbage"] = (0.05, people.garbage)
        return found

    def _accidents(self, faults: frozenset[str]) -> dict[str, tuple[float, Action]]:
        world, urgency = self.world, self.plan.urgency
        found: dict[str, tuple[float, Action]] = {
            "rewind": (0.2, self._rewind),
            "stall": (0.4 * urgency, self._stall),
            "unsendable": (0.05 * urgency, world.refuse_for_good),
            "jump": (0.15 * urgency, self._jump),
        }
        if world.log.count == PARTITIONS:
            found["repartition"] = (0.2 * urgency, world.log.add_partition)
        found = {name: accident for name, accident in found.items() if name in faults}
        if world.log.stalled:
            found["unstall"] = (0.4, world.log.stalled.clear)
        if world.late:
            found["late"] = (2.0, self._arrive_late)
        return found

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

    def _stall(self) -> None:
        worker = self.chance.choice(self.world.workers)
        partition = (self.chance.choice(worker.topics), self.chance.randrange(self.world.log.count))
        self.world.log.stalled.add((worker.process.service, partition))

    def _rewind(self) -> None:
        worker = self.chance.choice(self.world.workers)
        self.world.log.rewind(worker.process.service, [self.chance.choice(worker.topics)])

    def _jump(self) -> None:
        """The machines were asleep: leases run out, and now and then dates."""
        self.world.pass_time(self.chance.choice((60, 200, 3600, DAY, 11 * DAY)))

    def _arrive_late(self) -> None:
        for record in self.world.late.pop(self.chance.randrange(len(self.world.late))):
            self.world.publish(record)

    def _rest(self, timeout: float | None) -> None:
        """Everything works again; whatever can go on goes on, and time passes when nothing can."""
        self._rested += 1
        assert self._rested < LONGEST_REST, "the world does not come to rest"
        world = self.world
        if world.waiting:
            self._wake(world.waiting[0], "go")
        elif world.late:
            self._arrive_late()
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
