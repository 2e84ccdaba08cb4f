"""Facts merge in any order: compared at rest, a case that heard the ending first is the same case."""

import pytest

from tests.simulation.permuted import STORIES, PermutedStory, told_in_the_orders


@pytest.mark.parametrize("story", STORIES)
def test_a_story_that_services_hear_in_other_orders_leaves_the_same_cases(story: type[PermutedStory]) -> None:
    first, *others = told_in_the_orders(range(8), story)

    assert all(other.cases() == first.cases() for other in others)
    assert len(set().union(*(one.orders() for one in (first, *others)))) > len(first.orders())
