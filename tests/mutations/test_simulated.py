"""The simulation proves nothing unless it fails where it must: each seeded bug is found, its absence is not."""

import pytest

from tests.mutations.seeded import SEEDED, STEPS, Mutation
from tests.simulation.scheduler import Scheduler

WORLDS = {(one.seed, one.plan): one for one in SEEDED}


def scheduler_of(mutation: Mutation) -> Scheduler:
    return Scheduler(str(mutation.seed), STEPS, plan=mutation.plan)


@pytest.mark.parametrize("mutation", SEEDED, ids=lambda one: one.name)
def test_the_simulation_finds(mutation: Mutation) -> None:
    scheduler = scheduler_of(mutation)

    with pytest.raises(Exception) as found, mutation.apply(scheduler):  # noqa: PT011 - the bug decides how it shows
        scheduler.run()

    assert str(found.value)


@pytest.mark.parametrize("mutation", WORLDS.values(), ids=lambda one: f"seed {one.seed} for {one.name}")
def test_without_the_bug_the_same_world_is_sound(mutation: Mutation) -> None:
    scheduler_of(mutation).run()
