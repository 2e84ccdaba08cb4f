"""Every seeded bug names who must catch it, and is among those on which that one is tried."""

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from tests.faults.test_mutations import BUGS
from tests.mutations.bounds import BOUNDS, BoundsMutation
from tests.mutations.seeded import SEEDED
from tests.mutations.seeding import Layer, Mutation
from tests.mutations.statements import SQL_MUTATIONS, SqlMutation

AT_LEAST = 25
TRIED: dict[Layer, Sequence[Mutation | SqlMutation | BoundsMutation]] = {
    "simulation": SEEDED,
    "store contract": SQL_MUTATIONS,
    "adapter contract": BOUNDS,
    "real fault test": BUGS,
}
"""Each layer, and what its own test is given one by one."""
PROMISED = {
    "the gate is ignored",
    "two command sources share their numbers",
    "the relay marks before the acknowledgement",
    "a claim keeps the old epoch",
    "a handler publishes",
    "the cut-off is dropped",
    "the frozen ids are dropped",
    "a hold is not looked at again",
    "an error of the commit is taken for the message's",
    "sibling tasks are counted by SELECT",
    "an extension is published when it is decided",
}


def test_each_bug_is_tried_on_every_layer_that_it_names() -> None:
    bugs = (*SEEDED, *SQL_MUTATIONS, *BOUNDS)

    named = Counter(layer for bug in bugs for layer in bug.layers)

    assert set(named) == set(TRIED) == set(get_args(Layer))
    assert named == {layer: len(given) for layer, given in TRIED.items()}
    assert all(layer in bug.layers for layer, given in TRIED.items() for bug in given)


def test_there_are_enough_and_those_among_them_that_were_promised() -> None:
    names = [bug.name for bug in (*SEEDED, *SQL_MUTATIONS, *BOUNDS)]

    assert len(names) >= AT_LEAST
    assert len(names) == len(set(names))
    assert set(names) >= PROMISED
