"""A broker's access to the state's platform every 45 days: warned of, missed once, begun anew (the Delete Act)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.deadline.domain import DeadlineCase, DeadlineDomain
from shared.events.deadline import DeadlineApproaching, DeadlineMissed, DeadlineMissWithdrawn
from shared.events.recurring import RecordAccess
from shared.ids import recurring_id
from tests.support import facts
from tests.support.domain_driver import DomainDriver, Messages

# The first download of law.md's vector V34: the next is owed by September 15, the one after by October 30.
FIRST = datetime(2026, 8, 1, 19, tzinfo=UTC)
SECOND = datetime(2026, 9, 15, 19, tzinfo=UTC)


class Broker:
    """One business under the Delete Act."""

    def __init__(self) -> None:
        self.id = recurring_id("cascadia", "us-ca-delete-act")
        self.driver: DomainDriver[DeadlineCase] = DomainDriver(DeadlineDomain(), FIRST, self.id)
        self.messages = Messages(self.id)

    def accessed(
        self, at: datetime, regime: str = "us-ca-delete-act", *, told_at: datetime | None = None
    ) -> str | None:
        self.driver.now = told_at or at
        body = RecordAccess(business="cascadia", regime=regime, accessed_at=at, actor="operator-1")
        return self.driver.deliver(self.messages.command(body, at=self.driver.now)).refusal

    @property
    def warned(self) -> list[tuple[date, int]]:
        return [(one.due.date, one.days_left) for one in self.driver.bodies(DeadlineApproaching)]

    @property
    def missed(self) -> list[date]:
        return [one.due.date for one in self.driver.bodies(DeadlineMissed)]


def test_the_next_access_is_warned_of_rung_by_rung_and_missed_once() -> None:
    broker = Broker()
    assert broker.accessed(FIRST) is None

    broker.driver.pass_time(FIRST + timedelta(days=90))

    due = date(2026, 9, 15)
    assert broker.warned == [(due, 10), (due, 5), (due, 2), (due, 1)]
    assert broker.missed == [due]
    assert [one.clock for one in broker.driver.bodies(DeadlineMissed)] == ["access"]


def test_the_last_instant_of_the_forty_fifth_pacific_day_is_in_time() -> None:
    broker = Broker()
    broker.accessed(FIRST)

    broker.driver.pass_time(datetime(2026, 9, 16, 6, 59, 59, tzinfo=UTC))
    assert broker.missed == []
    broker.driver.pass_time(datetime(2026, 9, 16, 7, tzinfo=UTC))

    assert broker.missed == [date(2026, 9, 15)]


def test_each_access_begins_the_forty_five_days_anew() -> None:
    broker = Broker()
    broker.accessed(FIRST)

    broker.accessed(SECOND)
    broker.driver.pass_time(datetime(2026, 10, 31, 8, tzinfo=UTC))

    assert broker.missed == [date(2026, 10, 30)]


def test_it_is_counted_among_no_open_requests() -> None:
    broker = Broker()

    broker.accessed(FIRST)

    assert broker.driver.is_closed


def test_after_three_days_away_only_what_still_makes_sense_is_said() -> None:
    broker = Broker()
    broker.accessed(FIRST)

    broker.driver.now = datetime(2026, 9, 14, 20, tzinfo=UTC)
    broker.driver.wake()

    assert broker.warned == [(date(2026, 9, 15), 1)]


def test_an_access_in_time_that_is_stated_late_takes_the_miss_back() -> None:
    broker = Broker()
    broker.accessed(FIRST)
    broker.driver.pass_time(SECOND + timedelta(days=3))

    broker.accessed(SECOND, told_at=SECOND + timedelta(days=4))

    assert [one.handed_over_at for one in broker.driver.bodies(DeadlineMissWithdrawn)] == [SECOND]


def test_an_access_that_was_late_leaves_the_miss_and_starts_the_next() -> None:
    broker, late = Broker(), SECOND + timedelta(days=2)
    broker.accessed(FIRST)
    broker.driver.pass_time(late)

    broker.accessed(late)
    broker.driver.pass_time(late + timedelta(days=60))

    assert broker.driver.bodies(DeadlineMissWithdrawn) == []
    assert broker.missed == [date(2026, 9, 15), date(2026, 11, 1)]


@pytest.mark.parametrize(
    ("at", "regime", "refusal"),
    [
        (FIRST, "us-ca-ccpa", "nothing_recurs"),
        (FIRST, "us-ca-unknown", "nothing_recurs"),
        (FIRST + timedelta(hours=1), "us-ca-delete-act", "in_future"),
        (FIRST - timedelta(days=1), "us-ca-delete-act", "not_in_force"),
    ],
)
def test_a_wrong_try_says_why(at: datetime, regime: str, refusal: str) -> None:
    assert Broker().accessed(at, regime, told_at=FIRST) == refusal


def test_an_older_access_does_not_set_the_clock_back() -> None:
    broker = Broker()
    broker.accessed(SECOND)

    assert broker.accessed(FIRST, told_at=SECOND) == "not_the_latest"
    assert broker.accessed(SECOND) is None


def test_a_request_has_no_such_clock() -> None:
    broker = Broker()
    broker.driver.deliver(broker.messages.event(facts.received(), at=FIRST))

    assert broker.accessed(FIRST) == "is_a_request"
