"""Whatever dies, is lost, comes twice or late: no request is lost, nothing is done twice, and no date moves."""

import random
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from shared.events.topics import SERVICES
from tests.simulation.happenings import DAY
from tests.simulation.permuted import QUIET
from tests.simulation.rest import check_at_rest
from tests.simulation.run import simulate
from tests.simulation.scheduler import Scheduler
from tests.simulation.stories import Story
from tests.support.fuzz_settings import fuzzed


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
@fuzzed(15)
def test_no_short_story_that_hypothesis_can_think_of_breaks_anything(chance: random.Random) -> None:
    Scheduler("hypothesis", 60, chance).run()


def test_a_submission_that_nobody_read_for_weeks_is_refused_and_not_lost() -> None:
    unread = Unread("unread", 0, plan=QUIET)

    unread.run()

    (story,) = unread.world.auditor.stories.values()
    assert story.received is None
    assert story.refused is not None
    assert story.refused.reason == "received_too_long_ago"


class Unread(Scheduler):
    """Somebody telephoned, and no service ran for two months."""

    async def _story(self) -> None:
        self.world.people.ask(0, "delete", "upstream")
        self.world.pass_time(60 * DAY)
        for service in SERVICES:
            self.world.begin(service, 0)
        self._begin_rest()
        await self._over
        check_at_rest(self.world)


def test_a_hold_that_was_released_before_it_is_heard_of_forbids_nothing() -> None:
    hold, story = uuid4(), Story()

    story.released.add(hold)
    story.placed.add(hold)

    assert story.held == set()
