"""Facts merge in any order: compared at rest, a case that heard the ending first is the same case."""

from tests.simulation.permuted import told_in_the_orders


def test_a_story_that_services_hear_in_other_orders_leaves_the_same_cases() -> None:
    first, *others = told_in_the_orders(range(8))

    assert all(other.cases() == first.cases() for other in others)
    assert len(set().union(*(story.orders() for story in (first, *others)))) > len(first.orders())
