"""The quieter dates: when to warn, when a person may be asked again, and how long traces are kept."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from shared.policy import dates
from shared.policy.clocks import Clocks, DueDate
from shared.policy.regimes import Regime
from shared.policy.rights import Right
from shared.policy.rules import Resolution, Span

RequestClock = Literal["acknowledge", "respond", "effective"]
WarnedClock = RequestClock | Literal["access"]


@dataclass(frozen=True)
class WarningTime:
    """One rung of the ladder: which clock runs out, how many days are left, when to say so."""

    clock: WarnedClock
    days_before: int
    at: datetime


def warning_times(regime: Regime, clocks: Clocks, *, extended: bool = False) -> tuple[WarningTime, ...]:
    """List every warning of a request, earliest first; an extension moves the answer's ladder."""
    first, answer = clocks.acknowledge_by, clocks.due(extended=extended)
    named: RequestClock = "effective" if clocks.effective_by else "respond"
    return _warnings(regime, first and first.date, named, answer and answer.date)


def extension_looks(regime: Regime, clocks: Clocks) -> tuple[WarningTime, ...]:
    """List when open tasks are looked at as reasons to extend, earliest first; none where nothing extends by itself."""
    rule, due = regime.rules.automatic_extension, clocks.respond_by
    if rule is None or due is None or clocks.extend_to is None:
        return ()
    return _ladders((("respond", due.date, rule.days_before),), regime.rules.warnings.hour, regime.zone)


def access_due(regime: Regime, last_done_at: datetime) -> DueDate | None:
    """Give the date of what must be repeated, from when it was last done (Civ. Code 1798.99.86(c): within 45 days)."""
    rule = regime.rules.cadence
    if rule is None:
        return None
    day = dates.add_days(dates.local_date(last_done_at, regime.zone), rule.days)
    return DueDate(date=day, late_from=dates.late_from(day, regime.zone), legal_latest=day, cite=rule.cite)


def access_warnings(regime: Regime, due: DueDate) -> tuple[WarningTime, ...]:
    """List when the business is reminded of what it must repeat, earliest first."""
    rule = regime.rules.cadence
    days = rule.warn_days_before if rule else ()
    return _ladders((("access", due.date, days),), regime.rules.warnings.hour, regime.zone)


def by_todays_zone(regime: Regime, due: DueDate) -> DueDate:
    """Give the date as it was; where today's time-zone data ends its day before what was written down, it ends then."""
    end = _end_of(due.date, regime.zone)
    return due if end >= due.late_from else due.model_copy(update={"late_from": end})


def ask_again_from(regime: Regime, right: Right, effective_on: date) -> date | None:
    """Give the first day on which the person may be asked to opt back in (Civ. Code 1798.135(c)(4))."""
    wait = regime.right(right).wait
    return dates.not_before(effective_on, wait.months) if wait else None


def log_kept_through(regime: Regime, last_event_on: date) -> date:
    """Give the last day on which the request log must exist (11 CCR 7101(a): at least 24 months)."""
    return _end(regime.rules.retention.request_log, last_event_on)


def key_kept_through(regime: Regime, closed_on: date, resolution: Resolution) -> date:
    """Give the last day of a request's key: until then answer, appeal, re-check or download may need it."""
    kept = regime.rules.retention
    needs = (kept.settling, kept.appeal_window, kept.last_recheck, kept.package_link)
    wanted = (span for span in needs if not span.resolutions or resolution in span.resolutions)
    return max((_end(span, closed_on) for span in wanted), default=closed_on)


@lru_cache(maxsize=4096)
def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return dates.late_from(day, zone)


@lru_cache(maxsize=4096)
def _warnings(
    regime: Regime, acknowledge: date | None, answer_clock: RequestClock, answer: date | None
) -> tuple[WarningTime, ...]:
    """Each request asks for its ladders with every fact that it hears, and a day's requests share them."""
    rule = regime.rules.warnings
    dates_of: tuple[tuple[RequestClock, date | None], ...] = (
        ("acknowledge", acknowledge),
        (answer_clock, answer),
    )
    warned = tuple((clock, day, tuple(rule.days_before.get(clock, ()))) for clock, day in dates_of if day)
    return _ladders(warned, rule.hour, regime.zone)


@lru_cache(maxsize=4096)
def _ladders(
    warned: tuple[tuple[WarnedClock, date, tuple[int, ...]], ...], hour: int, zone: ZoneInfo
) -> tuple[WarningTime, ...]:
    rungs = (
        WarningTime(
            clock=clock,
            days_before=days,
            at=datetime.combine(dates.add_days(due, -days), time(hour), tzinfo=zone).astimezone(UTC),
        )
        for clock, due, days_before in warned
        for days in days_before
    )
    return tuple(sorted(rungs, key=lambda rung: rung.at))


def _end(span: Span, start: date) -> date:
    return dates.add_days(dates.not_before(start, span.months), span.days)
