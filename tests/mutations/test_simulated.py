"""The simulation proves nothing unless it fails where it must: each seeded bug is found, its absence is not."""

import pytest

from tests.mutations.seeded import SEEDED
from tests.mutations.seeding import STEPS, Mutation
from tests.simulation.scheduler import Scheduler

WORLDS = range(1, 61)
"""Which world shows a bug changes with every port call that production code adds or saves: so it is looked for."""


def world(number: int, mutation: Mutation) -> Scheduler:
    return Scheduler(str(number), STEPS, plan=mutation.plan)


def is_found_in(number: int, mutation: Mutation) -> bool:
    scheduler = world(number, mutation)
    try:
        with mutation.apply(scheduler):
            scheduler.run()
    except Exception as found:  # noqa: BLE001 - the bug decides how it shows
        return bool(str(found))
    return False


@pytest.mark.parametrize("mutation", SEEDED, ids=lambda one: one.name)
def test_the_simulation_finds_the_bug_and_without_it_the_same_world_is_sound(mutation: Mutation) -> None:
    found = next((number for number in WORLDS if is_found_in(number, mutation)), None)

    assert found is not None, f"none of {len(WORLDS)} worlds shows it"
    world(found, mutation).run()
