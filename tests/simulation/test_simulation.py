"""Whatever dies, is lost, comes twice or late: no request is lost, nothing is done twice, and no date moves."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.run import simulate
from tests.simulation.scheduler import Scheduler


def test_ten_thousand_steps_of_every_kind_of_trouble_break_nothing() -> None:
    taken, _ = simulate(seed=1, steps=10_000)

    assert taken == 10_000


def test_a_seed_replays_step_by_step() -> None:
    first, again = Scheduler("7", 300), Scheduler("7", 300)

    first.run()
    again.run()

    assert first.trace == again.trace
    assert first.world.auditor.ledger == again.world.auditor.ledger


@given(chance=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
def test_no_short_story_that_hypothesis_can_think_of_breaks_anything(chance: random.Random) -> None:
    Scheduler("hypothesis", 60, chance).run()
