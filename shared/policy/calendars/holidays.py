"""Dated holiday tables: which days count as business days, written out year by year instead of computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from shared.policy.dates import DateOutOfRangeError
from shared.policy.sourced import Identifier, Rule, Strict, Words

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)


class CalendarRule(Rule):
    """One way to tell business days: the weekdays that never count, and the column of holidays."""

    words: Words
    closed: tuple[Weekday, ...]
    holidays: Identifier


class Holiday(Strict):
    """A dated holiday and its columns; `computed` marks a date that follows the moon, to confirm yearly."""

    day: date = Field(alias="date")
    name: Words
    columns: tuple[Identifier, ...] = Field(min_length=1)
    computed: bool = False


class CalendarTable(Strict):
    """One place's file: its calendars, and every holiday of the years that it covers."""

    place: str
    years: tuple[int, ...] = Field(min_length=1)
    columns: dict[Identifier, Words]
    calendars: dict[Identifier, CalendarRule]
    holidays: tuple[Holiday, ...]

    @model_validator(mode="after")
    def _years_are_whole(self) -> Self:
        if list(self.years) != list(range(self.years[0], self.years[-1] + 1)):
            raise ValueError("years must follow one another")
        if {holiday.day.year for holiday in self.holidays} != set(self.years):
            raise ValueError("every year listed has holidays, and no other year")
        return self

    @model_validator(mode="after")
    def _columns_are_declared(self) -> Self:
        used = {rule.holidays for rule in self.calendars.values()}
        used.update(column for holiday in self.holidays for column in holiday.columns)
        if not used <= self.columns.keys():
            raise ValueError("a column is used that columns does not describe")
        return self


@dataclass(frozen=True)
class BusinessCalendar:
    """One calendar of a table, ready to be asked; it refuses to guess about a year it does not hold."""

    name: str
    closed: frozenset[int]
    holidays: frozenset[date]
    years: range
    names: Mapping[date, str] = field(default_factory=dict, compare=False)

    def is_open(self, day: date) -> bool:
        if day.year not in self.years:
            raise DateOutOfRangeError(
                f"the holiday table holds {self.years[0]} to {self.years[-1]}; "
                f"{day.year} must be added before days in it can be counted"
            )
        return day.weekday() not in self.closed and day not in self.holidays

    def closed_because(self, day: date) -> str | None:
        """Say why a day does not count: its holiday, or else its weekday."""
        if self.is_open(day):
            return None
        return self.names.get(day) or WEEKDAYS[day.weekday()].capitalize()


def build(table: CalendarTable) -> dict[str, BusinessCalendar]:
    """Make each calendar that the table declares."""
    return {name: _build_one(name, rule, table) for name, rule in table.calendars.items()}


def _build_one(name: str, rule: CalendarRule, table: CalendarTable) -> BusinessCalendar:
    names = {holiday.day: holiday.name for holiday in table.holidays if rule.holidays in holiday.columns}
    return BusinessCalendar(
        name=name,
        closed=frozenset(WEEKDAYS.index(weekday) for weekday in rule.closed),
        holidays=frozenset(names),
        years=range(table.years[0], table.years[-1] + 1),
        names=names,
    )
