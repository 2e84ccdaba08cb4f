"""The simulation proves nothing unless it fails where it must: each seeded bug is found, its absence is not."""

import pytest

from tests.mutations.seeded import SEEDED
from tests.mutations.seeding import Mutation
from tests.mutations.worlds import WORLDS, is_found_in, world, worlds_for


@pytest.mark.parametrize("mutation", SEEDED, ids=lambda one: one.name)
def test_the_simulation_finds_the_bug_and_without_it_the_same_world_is_sound(mutation: Mutation) -> None:
    found = next((number for number in worlds_for(mutation) if is_found_in(number, mutation)), None)

    assert found is not None, f"none of {len(WORLDS)} worlds shows it"
    world(found, mutation).run()
