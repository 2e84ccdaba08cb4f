"""Who asks for what in the two years, how they behave, and how long the business's systems take for them."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.events.topics import SERVICES
from tests.two_years.calendar_of_trouble import BEGIN, END, SYSTEMS

PACIFIC = ZoneInfo("America/Los_Angeles")
RIGHTS = (
    *("know_categories", "know_specific", "delete", "correct", "opt_out", "limit", "opt_in"),
    *("opt_out_admt", "access_admt", "appeal_admt"),
)
# Days on which counting goes wrong first: clocks change, a leap day, years end, holidays, a Saturday's holiday.
ODD_DAYS = (
    *(date(2026, 11, 1), date(2027, 3, 14), date(2027, 11, 7), date(2028, 3, 12), date(2028, 2, 29)),
    *(date(2026, 12, 31), date(2027, 1, 1), date(2027, 12, 31), date(2028, 1, 1), date(2028, 1, 15)),
    *(date(2026, 7, 4), date(2026, 9, 9), date(2026, 11, 26), date(2027, 7, 4), date(2027, 3, 31)),
    *(date(2026, 12, 24), date(2027, 2, 12), date(2028, 1, 31), date(2027, 1, 15), date(2026, 9, 18)),
)
ODD_TIMES = (time(0), time(0, 0, 1), time(1, 30), time(23, 30), time(23, 59, 59, 999_999), time(16))
Proof = Literal["account", "stale_account", "code", "wrong_code", "silent"]


@dataclass(frozen=True)
class Person:
    """One requester and everything around their request that is not ours."""

    right: str
    arrives_at: datetime
    by_phone: bool
    logged_after: timedelta
    proof: Proof
    proves_after: timedelta
    withdraws_after: timedelta | None
    officer_extends_after: timedelta | None
    takes: dict[str, timedelta]
    """How long each system works on it; a vendor's time until it says that it is done."""
    needs_person: str | None
    person_after: timedelta
    vendor_is_silent: bool
    notice_bounces: bool
    lags: dict[str, timedelta]
    """How long a record lies on its topic before each service reads it."""
    twice: float
    """How often a record is delivered a second time."""


def draw(chance: random.Random) -> Person:
    """Somebody; everything follows from the chance that is handed in."""
    return Person(
        right=chance.choice(RIGHTS),
        arrives_at=_arrival(chance),
        by_phone=chance.random() < 0.3,
        logged_after=timedelta(hours=chance.choice((0.1, 1, 5, 30, 70))),
        proof=chance.choices(
            ("account", "stale_account", "code", "wrong_code", "silent"), (35, 10, 25, 5, 25)
        )[0],
        proves_after=timedelta(days=chance.choice((0.001, 0.01, 0.5, 3, 12, 30, 36, 44))),
        withdraws_after=timedelta(days=chance.uniform(0, 50)) if chance.random() < 0.05 else None,
        officer_extends_after=timedelta(days=chance.uniform(0, 60)) if chance.random() < 0.1 else None,
        takes={name: _taking(chance) for name in (*SYSTEMS, "mailer")},
        needs_person=chance.choice(SYSTEMS) if chance.random() < 0.05 else None,
        person_after=timedelta(days=chance.uniform(0.1, 40)),
        vendor_is_silent=chance.random() < 0.1,
        notice_bounces=chance.random() < 0.1,
        lags={service: timedelta(seconds=_lag(chance)) for service in SERVICES},
        twice=chance.choice((0, 0, 0.3)),
    )


def _arrival(chance: random.Random) -> datetime:
    """A third arrive on the days and at the times that are counted wrong most easily."""
    if chance.random() < 0.67:
        return BEGIN + chance.random() * (END - BEGIN)
    return datetime.combine(chance.choice(ODD_DAYS), chance.choice(ODD_TIMES), tzinfo=PACIFIC).astimezone(UTC)


def _taking(chance: random.Random) -> timedelta:
    hours = chance.choices((0.05, 2, 60, 24 * 20, 24 * 44.7, 24 * 75), (50, 25, 12, 6, 4, 3))[0]
    return timedelta(hours=hours * chance.uniform(0.5, 1.2))


def _lag(chance: random.Random) -> float:
    return chance.choice((0.01, 0.2, 5, 600, 20_000)) * chance.random()
