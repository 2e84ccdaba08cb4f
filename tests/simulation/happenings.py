"""What may happen at a step besides the services' own work, with how likely it is: people's doings, and accidents."""

from collections.abc import Callable

from tests.simulation.log import PARTITIONS
from tests.simulation.plan import Plan
from tests.simulation.world import World

DAY = 86_400.0
Action = Callable[[], object]
Happenings = dict[str, tuple[float, Action]]


def what_people_do(world: World, plan: Plan) -> Happenings:
    """They ask, prove, take back, forbid and repeat themselves."""
    people = world.people
    found: Happenings = {"prove": (1.0, people.prove), "extend": (0.2, people.extend)}
    if len(people.asked) < plan.requests:
        found["submit"] = (3.0, lambda: people.submit(plan.people, plan.rights))
    if people.wishes:
        found["call"] = (6.0, people.call)
    return found | {
        name: (weight, action)
        for fault, name, weight, action in (
            ("hold", "hold", 0.8, people.hold),
            ("hold", "release", 0.4, people.release),
            ("hold", "two sources", 0.1, people.two_sources),
            ("withdraw", "withdraw", 0.3 * plan.urgency, people.withdraw),
            ("people", "register again", 0.5, people.register_again),
            ("people", "old rows", 0.3, people.import_old_rows),
            ("people", "retry", 0.4, people.retry),
            ("garbage", "garbage", 0.05, people.garbage),
        )
        if fault in plan.faults
    }


def what_befalls(world: World, plan: Plan) -> Happenings:
    """Readers forget, partitions stall, machines sleep, keys move, records come late."""
    found: Happenings = {
        "rewind": (0.2, lambda: _rewind(world)),
        "stall": (0.4 * plan.urgency, lambda: _stall(world)),
        "unsendable": (0.05 * plan.urgency, world.refuse_for_good),
        "jump": (0.15 * plan.urgency, lambda: _jump(world)),
    }
    if world.log.count == PARTITIONS:
        found["repartition"] = (0.2 * plan.urgency, world.log.add_partition)
    found = {name: accident for name, accident in found.items() if name in plan.faults}
    if world.log.stalled:
        found["unstall"] = (0.4, world.log.stalled.clear)
    if world.late:
        found["late"] = (2.0, lambda: arrive_late(world))
    return found


def arrive_late(world: World) -> None:
    """A batch that its sender knows nothing of reaches the log after all."""
    for record in world.late.pop(world.chance.randrange(len(world.late))):
        world.publish(record)


def _stall(world: World) -> None:
    worker = world.chance.choice(world.workers)
    partition = (world.chance.choice(worker.topics), world.chance.randrange(world.log.count))
    world.log.stalled.add((worker.process.service, partition))


def _rewind(world: World) -> None:
    worker = world.chance.choice(world.workers)
    world.log.rewind(worker.process.service, [world.chance.choice(worker.topics)])


def _jump(world: World) -> None:
    """The machines were asleep: leases run out, and now and then dates."""
    world.pass_time(world.chance.choice((60, 200, 3600, DAY, 11 * DAY)))
