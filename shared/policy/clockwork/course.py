"""How a request's clock ran: from which day, which days did not count, and what is still waited for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from shared.policy.clockwork.happenings import Event


@dataclass(frozen=True, slots=True)
class Effect:
    """What one happening did to the dates, in a sentence; `moved` tells whether it did anything."""

    event: Event
    moved: bool
    words: str


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one request's clocks; `asked` is what the business waits for, `stopped` every paused day."""

    received_on: date
    start: date
    stopped: frozenset[date] = frozenset()
    asked: tuple[Event, ...] = ()
    extended: bool = False
    effects: tuple[Effect, ...] = ()

    @property
    def days_lost(self) -> frozenset[date]:
        """The days that do not count; the first day never did, so that losing it again moves nothing."""
        return frozenset(day for day in self.stopped if day > self.start)

    @property
    def days_lost_mildly(self) -> frozenset[date]:
        """The same, with the first day of the period among them."""
        return frozenset(day for day in self.stopped if day >= self.start)


def begin(received_on: date) -> Course:
    """Start on the day of receipt, with nothing having happened since."""
    return Course(received_on=received_on, start=received_on)


def days_between(first: date, last: date) -> Iterator[date]:
    """List the days from the first to the last, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
