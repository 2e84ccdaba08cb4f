"""The simulation proves nothing unless it fails where it must: each seeded bug is found, its absence is not."""

from typing import Any

import pytest

from services.fulfillment.domain import finishing
from tests.mutations.seeded import SEEDED
from tests.mutations.seeding import DeadBugError, Mutation, always, replaced
from tests.mutations.worlds import WORLDS, is_found_in, world, worlds_for


@pytest.mark.parametrize("mutation", SEEDED, ids=lambda one: one.name)
def test_the_simulation_finds_the_bug_and_without_it_the_same_world_is_sound(mutation: Mutation) -> None:
    found = next((number for number in worlds_for(mutation) if is_found_in(number, mutation)), None)

    assert found is not None, f"none of {len(WORLDS)} worlds shows it"
    world(found, mutation).run()


def test_a_bug_that_fits_the_code_no_more_is_not_taken_for_one_that_was_found() -> None:
    def takes_nothing(_original: Any) -> Any:
        return lambda: None

    dead = Mutation("a bug of another day", replaced(finishing, "_acted", takes_nothing))

    with pytest.raises(DeadBugError, match="another day"):
        any(is_found_in(number, dead) for number in WORLDS)


def test_a_bug_in_what_is_no_longer_there_is_not_taken_for_one_that_was_found() -> None:
    gone = Mutation("a bug in what is gone", replaced(finishing, "_gone", always(None)))

    with pytest.raises(KeyError):
        is_found_in(1, gone)
