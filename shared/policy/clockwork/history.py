"""What happened to a request, day by day, and what each happening did to its dates."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.policy.clocks import Clocks
from shared.policy.clockwork.counting import last_days
from shared.policy.clockwork.course import Course, Effect, begin, days_between
from shared.policy.clockwork.happenings import Event, Happening
from shared.policy.clockwork.periods import CalendarDays, ClockRules, Months, Pause, Restart
from shared.policy.clockwork.reckoning import dates_of
from shared.policy.extensions import ExtensionRefusal, extension_refusal
from shared.policy.regimes import Regime
from shared.policy.rights import Right

NOTICES: Final = frozenset({Happening.EXTENSION_NOTICE, Happening.EXTENSION_NOTICE_WITHOUT_REASONS})
BEFORE: Final = frozenset({Happening.EARLIER_REQUEST})
_ELSEWHERE: Final = {
    Happening.ACKNOWLEDGED: "is what acknowledge_by asks for; it moves no date",
    Happening.ANSWERED: "is what the answer's date asks for; it moves no date",
    Happening.APPEALED: "starts the clock of the appeal",
    Happening.COMPLIED: "starts the wait before the person may be asked again",
    Happening.EARLIER_REQUEST: "counts towards how often the right must be answered",
}

_LACKING: Final = {
    Happening.EARLIER_REQUEST: "changes nothing: this law does not limit how often this right must be answered",
    Happening.COMPLIED: "changes nothing: after this right nobody has to wait before asking again",
    Happening.APPEALED: "starts no clock: this law creates no appeal to the business",
}

_REFUSALS: Final = {
    ExtensionRefusal.RIGHT_HAS_NO_EXTENSION: "this right has no extension",
    ExtensionRefusal.ALREADY_EXTENDED: "the period was extended already, which is possible once",
    ExtensionRefusal.NO_REASONS: "a notice must give its reasons",
    ExtensionRefusal.TOO_LATE: "too late, {first}",
}


class EventBeforeReceiptError(ValueError):
    """Something that can only follow a request is dated before it."""

    def __init__(self, event: Event, received_on: date) -> None:
        super().__init__(f"{event.kind} on {event.on} lies before the receipt on {received_on}")


Heard = tuple[Course, bool, str]


@dataclass(frozen=True)
class Clockwork:
    """The clocks of one right under one regime, ready to be run through a history."""

    regime: Regime
    right: Right
    rules: ClockRules

    def follow(self, received_on: date, events: Iterable[Event]) -> Course:
        """Run the clocks through everything that happened, in the order of its days."""
        course = begin(received_on)
        for event in sorted(events, key=_order):
            if event.kind not in BEFORE and event.on < received_on:
                raise EventBeforeReceiptError(event, received_on)
            after, moved, words = self._hear(course, event)
            course = replace(after, effects=(*after.effects, Effect(event, moved, words)))
        return course

    def dates(self, course: Course) -> Clocks:
        """Give the dates at the end of a course; an extension whose notice was refused is none."""
        clocks = dates_of(self.regime, self.right, course, self.rules)
        refused = any(effect.event.kind in NOTICES for effect in course.effects) and not course.extended
        return clocks.model_copy(update={"extend_to": None}) if refused else clocks

    def _hear(self, course: Course, event: Event) -> Heard:
        running = self._so_far(course, event.on)
        if event.kind in NOTICES:
            clocks = dates_of(self.regime, self.right, running, self.rules)
            return _notice(course, event, clocks, self.regime.zone)
        hear = next(self._listeners(event.kind), None)
        if hear is None:
            return course, False, self._elsewhere(event)
        end = self._end(running)
        if end is not None and event.on > end:
            return course, False, f"comes too late: the period had ended on {end}"
        return hear(course, event)

    def _elsewhere(self, event: Event) -> str:
        """What is said of a happening that no clock of the right listens to; nothing starts that the law lacks."""
        right = self.regime.right(self.right)
        appeal = self.regime.rules.rights.get(Right.APPEAL)
        lacking = {
            Happening.EARLIER_REQUEST: right.frequency is None,
            Happening.COMPLIED: right.wait is None,
            Happening.APPEALED: appeal is None or not appeal.effective.covers(event.on),
        }
        words = _LACKING if lacking.get(event.kind) else _ELSEWHERE
        return words.get(event.kind, "moves no date of this right")

    def _end(self, running: Course) -> date | None:
        """The period's own last day: what closed days add to it cannot be stopped any more."""
        rule = self.rules.extend if running.extended else self.rules.respond
        return last_days(rule, self.rules, running)[0] if isinstance(rule, CalendarDays | Months) else None

    def _listeners(self, kind: Happening) -> Iterator[Callable[[Course, Event], Heard]]:
        for pause in self.rules.pauses:
            yield from _bound(kind, ((pause.begins, _stops), (pause.ends, _goes_on)), pause)
        for restart in self.rules.restarts:
            yield from _bound(kind, ((restart.asked, _waits), (restart.came, _starts_again)), restart)

    def _so_far(self, course: Course, today: date) -> Course:
        """What is waited for counts as going on until today: no period ends while it stands still."""
        for event in course.asked:
            if any(event.kind is pause.begins for pause in self.rules.pauses):
                course = replace(course, stopped=course.stopped.union(days_between(event.on, today)))
            else:
                course = replace(course, start=max(course.start, today))
        return course


def _order(event: Event) -> tuple[date, int]:
    """By day; on one day what is asked comes before what is received, as the list of happenings has it."""
    return event.on, list(Happening).index(event.kind)


def _bound(
    kind: Happening, table: Iterable[tuple[Happening | None, Callable[..., Heard]]], rule: Any
) -> Iterator[Callable[[Course, Event], Heard]]:
    for heard, function in table:
        if heard is kind:
            yield lambda course, event: function(course, event, rule)  # noqa: B023 - used before the next turn


def _stops(course: Course, event: Event, pause: Pause) -> Heard:
    words = f"the clock stands until {pause.ends}; the date moves when that day is known"
    return replace(course, asked=(*course.asked, event)), False, words


def _goes_on(course: Course, event: Event, pause: Pause) -> Heard:
    asked = [one for one in course.asked if one.kind is pause.begins]
    if not asked:
        return course, False, f"nothing was waited for: there is no {pause.begins}"
    lost = course.stopped.union(days_between(asked[0].on, event.on))
    rest = tuple(one for one in course.asked if one.kind is not pause.begins)
    words = f"{len(lost) - len(course.stopped)} days from {asked[0].on} to {event.on} do not count"
    return replace(course, stopped=lost, asked=rest), True, words


def _waits(course: Course, event: Event, restart: Restart) -> Heard:
    words = f"the period begins with {restart.came}; until that day is known it is counted from receipt"
    return replace(course, asked=(*course.asked, event)), False, words


def _starts_again(course: Course, event: Event, restart: Restart) -> Heard:
    rest = tuple(one for one in course.asked if one.kind is not restart.asked)
    moved = event.on > course.start
    words = f"the period begins on {event.on}" if moved else "the period had begun already"
    return replace(course, start=event.on, asked=rest), moved, words


def _notice(course: Course, event: Event, clocks: Clocks, zone: ZoneInfo) -> Heard:
    """Judge an extension's notice; one of which only the day is known was given as that day began."""
    refusal = extension_refusal(
        clocks,
        handed_over_at=event.at or datetime.combine(event.on, time.min, tzinfo=zone),
        reasons=() if event.kind is Happening.EXTENSION_NOTICE_WITHOUT_REASONS else ("as stated",),
        already_extended=course.extended,
    )
    if refusal is None:
        return replace(course, extended=True), True, "extends the period"
    first = f"the first period ended on {clocks.respond_by.date}" if clocks.respond_by else ""
    return course, False, f"refused: {_REFUSALS[refusal].format(first=first)}"
