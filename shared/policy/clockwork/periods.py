"""How long a law gives: every form of period, what stops one, what starts it again, and how far it may reach."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.policy.clockwork.happenings import Happening
from shared.policy.sourced import Identifier, Rule, Strict, Words


class Immediately(Rule):
    """No time at all: what is asked is due on the day of receipt."""

    unit: Literal["immediately"]


class BusinessDays(Rule):
    """A period in business days: scheduled on one calendar, still lawful on a more lenient one."""

    unit: Literal["business_day"]
    n: int = Field(ge=1)
    calendar: Identifier
    latest_calendar: Identifier


class CalendarDays(Rule):
    """A period in calendar days.

    `roll` carries a closed last day on and is scheduled on; `latest_roll` only moves the latest lawful date.
    """

    unit: Literal["calendar_day"]
    n: int = Field(ge=1)
    roll: Identifier | None = None
    latest_roll: Identifier | None = None


class Months(Rule):
    """A period that ends on the same day number months later, or on that month's last day."""

    unit: Literal["month"]
    n: int = Field(ge=1)
    roll: Identifier | None = None
    latest_roll: Identifier | None = None


class MoreDays(CalendarDays):
    """The extended period, counted from receipt; its notice goes out before the first one ends."""

    times: Literal[1]


class MoreMonths(Months):
    """The extended period in months.

    It may be read as months from the start or as months added to the first end: the earlier is scheduled on.
    """

    times: Literal[1]


Period = Annotated[Immediately | BusinessDays | CalendarDays | Months, Field(discriminator="unit")]
Extension = Annotated[MoreDays | MoreMonths, Field(discriminator="unit")]
Counted = CalendarDays | Months
AnyPeriod = Immediately | BusinessDays | CalendarDays | Months


class Pause(Rule):
    """What stops the clock: the days from the one happening to the other do not count, both included."""

    begins: Happening
    ends: Happening
    words: Words


class Restart(Rule):
    """What the period waits for once it is asked for: it begins when the last such thing has come."""

    asked: Happening | None = None
    came: Happening
    words: Words


class Cap(Rule):
    """Days from receipt beyond which no pause, extension or roll carries a date."""

    days: int = Field(ge=1)


class ClockRules(Strict):
    """The periods that a right starts on receipt; one that is absent does not exist in this law."""

    acknowledge: Period | None = None
    respond: Period | None = None
    extend: Extension | None = None
    effective: Period | None = None
    pauses: tuple[Pause, ...] = ()
    restarts: tuple[Restart, ...] = ()
    cap: Cap | None = None

    @model_validator(mode="after")
    def _extension_extends_something(self) -> Self:
        if self.extend is None:
            return self
        if self.respond is None:
            raise ValueError("extend needs respond: there is nothing to extend")
        if self.respond.unit != self.extend.unit or self.extend.n <= self.respond.n:
            raise ValueError("extend is the whole longer period, in the unit of respond")
        return self


def periods(clocks: ClockRules) -> Iterator[tuple[str, AnyPeriod]]:
    """Give each clock that the right has, with its name, in the order in which they run out."""
    for name in ("acknowledge", "effective", "respond", "extend"):
        rule = getattr(clocks, name)
        if rule is not None:
            yield name, rule


def calendars_of(period: AnyPeriod) -> set[str]:
    """Name the calendars that a period is counted on or carried over."""
    if isinstance(period, BusinessDays):
        return {period.calendar, period.latest_calendar}
    if isinstance(period, Immediately):
        return set()
    return {name for name in (period.roll, period.latest_roll) if name}


def moving(clocks: ClockRules) -> Iterator[tuple[str, Rule]]:
    """Give every rule by which a date comes about, with a name for it."""
    yield from periods(clocks)
    yield from (("pause", rule) for rule in clocks.pauses)
    yield from (("restart", rule) for rule in clocks.restarts)
    if clocks.cap:
        yield "cap", clocks.cap
