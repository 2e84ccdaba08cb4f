"""A second opinion on every date: the laws' numbers written down again, holidays by rule, and days walked one by one.

Nothing here reads the policy files or calls the functions that the services use; both must come to the same dates.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DUES = ("acknowledge_by", "respond_by", "extend_to", "effective_by")
DAY = timedelta(days=1)
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
Closed = Callable[[date], bool]

# Dates that follow the moon, from published almanacs.
LUNAR_NEW_YEAR = {date(2026, 2, 17), date(2027, 2, 6), date(2028, 1, 26), date(2029, 2, 13)}
DIWALI = {date(2026, 11, 8), date(2027, 10, 29), date(2028, 10, 17), date(2029, 11, 5)}
EASTER = {2026: date(2026, 4, 5), 2027: date(2027, 3, 28), 2028: date(2028, 4, 16), 2029: date(2029, 4, 1)}


def nth(day: date, month: int, weekday: int, n: int) -> bool:
    """Whether the day is the n-th such weekday of that month."""
    return day.month == month and day.weekday() == weekday and (day.day - 1) // 7 + 1 == n


def last_monday(day: date, month: int) -> bool:
    return day.month == month and day.weekday() == MON and (day + 7 * DAY).month != month


def both(day: date) -> bool:
    """A holiday of California and of the United States, on its own date."""
    fixed = (day.month, day.day) in {(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)}
    mondays = any(nth(day, month, MON, n) for month, n in ((1, 3), (2, 3), (9, 1), (10, 2)))
    return fixed or mondays or last_monday(day, 5) or nth(day, 11, THU, 4)


def _moved(day: date, dates: set[tuple[int, int]]) -> bool:
    """Gov. Code 6701."""
    before = day - DAY
    sunday = day.weekday() == MON and (before.month, before.day) in dates
    return sunday or (day.weekday() == FRI and (day.month, day.day) == (11, 10))


def gov(day: date) -> bool:
    """Gov. Code 6700 and 6701."""
    own = (day.month, day.day) in {(2, 12), (3, 31), (4, 24), (9, 9)} or nth(day, 9, FRI, 4)
    moves = {(1, 1), (2, 12), (3, 31), (7, 4), (9, 9), (11, 11), (12, 25)}
    return both(day) or own or _moved(day, moves) or day in LUNAR_NEW_YEAR | DIWALI


def judicial(day: date) -> bool:
    """CCP 135."""
    kept = (day.month, day.day) in {(2, 12), (3, 31)} or nth(day, 9, FRI, 4)
    moves = {(1, 1), (2, 12), (3, 31), (7, 4), (11, 11), (12, 25)}
    columbus = nth(day, 10, MON, 2)
    return (both(day) and not columbus) or kept or _moved(day, moves) or nth(day - DAY, 11, THU, 4)


def bank(day: date) -> bool:
    """England and Wales; substitutes are found by looking back at what a weekend swallowed."""
    easter = EASTER[day.year]
    if day in {easter - 2 * DAY, easter + DAY} or nth(day, 5, MON, 1):
        return True
    if last_monday(day, 5) or last_monday(day, 8):
        return True
    if day.month == 1:
        return day.day == 1 or (day.weekday() == MON and day.day in {2, 3})
    if day.month != 12 or day.day < 25:
        return False
    swallowed = day.day in {27, 28} and day.weekday() in {MON, TUE} and (day - 2 * DAY).weekday() >= SAT
    return day.day in {25, 26} or swallowed


def safe(day: date) -> bool:
    return day.weekday() == SUN or both(day)


def mon_fri(day: date) -> bool:
    return day.weekday() >= SAT or gov(day)


def court(day: date) -> bool:
    return day.weekday() >= SAT or judicial(day)


def union(day: date) -> bool:
    return day.weekday() >= SAT or (day.month, day.day) in {(1, 1), (12, 25)}


def english(day: date) -> bool:
    return day.weekday() >= SAT or bank(day)


def walk(start: date, count: int, closed: Closed) -> date:
    """Go forward day by day until so many open days have passed."""
    day = start
    while count:
        day += DAY
        count -= not closed(day)
    return day


def carry(day: date, closed: Closed) -> date:
    while closed(day):
        day += DAY
    return day


def months_on(start: date, months: int) -> date:
    """Walk into the target month and stop on the start's number, or on that month's last day."""
    day, passed = start, 0
    while passed < months or day.day < start.day:
        following = day + DAY
        if following.month != day.month:
            if passed == months:
                return day
            passed += 1
        day = following
    return day


def local_day(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def first_late_instant(day: date, zone: str) -> datetime:
    """Search the quarters of an hour around the day's end for the first one that is another day there."""
    instant = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    while local_day(instant, zone) <= day:
        instant += timedelta(minutes=15)
    return instant


@dataclass(frozen=True)
class Law:
    """What one right gives: numbers of days (or months), how they are counted, and in whose zone."""

    zone: str
    acknowledge: int | None = None
    respond: int | None = None
    extend: int | None = None
    effective: int | None = None
    months: bool = False
    acknowledge_in_business_days: bool = True
    carried: Closed | None = None
    latest: Closed | None = None
    pauses: bool = False
    restarts: frozenset[str] = frozenset()


PACIFIC, EASTERN, CENTRAL, MOUNTAIN = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
)
DATA = ("know_specific", "correct", "delete", "portability", "opt_out")
_VERIFIED = Law(PACIFIC, acknowledge=10, respond=45, extend=90, latest=court)
_OPT_OUT = Law(PACIFIC, effective=15)
_UK = Law(
    "Europe/London",
    respond=1,
    extend=3,
    months=True,
    carried=english,
    restarts=frozenset({"identity", "fee"}),
)
_EU = Law("Europe/Brussels", respond=1, extend=3, months=True, carried=union)
# regime: zone, answer, extended, appeal, appeal extended, rights that it lacks
STATES: dict[str, tuple[str, int, int, int | None, int | None, frozenset[str]]] = {
    "us-va-vcdpa": (EASTERN, 45, 90, 60, None, frozenset()),
    "us-co-cpa": (MOUNTAIN, 45, 90, 45, 105, frozenset()),
    "us-ct-ctdpa": (EASTERN, 45, 90, 60, None, frozenset()),
    "us-ut-ucpa": (MOUNTAIN, 45, 90, None, None, frozenset()),
    "us-tx-tdpsa": (CENTRAL, 45, 90, 60, None, frozenset()),
    "us-or-ocpa": (PACIFIC, 45, 90, 45, None, frozenset()),
    "us-mt-mcdpa": (MOUNTAIN, 45, 90, 60, None, frozenset()),
    "us-de-dpdpa": (EASTERN, 45, 90, 60, None, frozenset()),
    "us-nj-njdpa": (EASTERN, 45, 90, 45, None, frozenset()),
    "us-mn-mcdpa": (CENTRAL, 45, 90, 45, 105, frozenset()),
    "us-md-modpa": (EASTERN, 45, 90, 60, None, frozenset()),
    "us-ia-icdpa": (CENTRAL, 90, 135, 60, None, frozenset({"correct"})),
    "us-in-icdpa": ("America/Indiana/Indianapolis", 45, 90, 60, None, frozenset()),
    "us-ky-kcdpa": (EASTERN, 45, 90, 60, None, frozenset()),
    "us-ri-ridtppa": (EASTERN, 45, 90, 60, None, frozenset()),
    "us-tn-tipa": (CENTRAL, 45, 90, 60, None, frozenset()),
    "us-ne-ndpa": (CENTRAL, 45, 90, 60, None, frozenset()),
    "us-nh-nhpa": (EASTERN, 45, 90, 60, None, frozenset()),
    "us-fl-fdbr": (EASTERN, 45, 60, 60, None, frozenset()),
    "us-nv-603a": (
        PACIFIC,
        60,
        90,
        None,
        None,
        frozenset({"know_specific", "correct", "delete", "portability"}),
    ),
    "us-wa-mhmda": (PACIFIC, 45, 90, 45, None, frozenset({"correct", "portability", "opt_out"})),
    "us-ok-ocdpa": (CENTRAL, 45, 90, 60, None, frozenset()),
    "us-al-apdpa": (CENTRAL, 45, 90, 60, None, frozenset()),
}


def _california() -> Iterator[tuple[tuple[str, str], Law]]:
    for right in ("know_categories", "know_specific", "delete", "correct", "access_admt", "appeal_admt"):
        yield ("us-ca-ccpa", right), _VERIFIED
    for right in ("opt_out", "limit", "opt_out_admt"):
        yield ("us-ca-ccpa", right), _OPT_OUT
    yield ("us-ca-ccpa", "opt_in"), Law(PACIFIC)
    yield ("us-ca-shine-the-light", "shine_the_light"), Law(PACIFIC, respond=30, latest=court)
    yield ("us-ca-delete-act", "delete"), Law(PACIFIC, respond=45, latest=court)


def _states() -> Iterator[tuple[tuple[str, str], Law]]:
    for regime, (zone, answer, extended, appeal, more, lacks) in STATES.items():
        for right in (one for one in DATA if one not in lacks):
            yield (regime, right), Law(zone, respond=answer, extend=extended)
        if appeal is not None:
            yield (regime, "appeal"), Law(zone, respond=appeal, extend=more)
    for right in ("know_specific", "delete"):
        health = Law(PACIFIC, respond=45, extend=90, restarts=frozenset({"authenticated"}))
        yield ("us-nv-health", right), health


def _elsewhere() -> Iterator[tuple[tuple[str, str], Law]]:
    for right in ("know_specific", "correct", "delete", "restrict", "portability", "object"):
        yield ("eu-gdpr", right), _EU
        yield ("uk-gdpr", right), _UK if right != "know_specific" else replace(_UK, pauses=True)
    yield ("uk-gdpr", "appeal"), Law("Europe/London", acknowledge=30, acknowledge_in_business_days=False)
    yield ("br-lgpd", "know_categories"), Law("America/Sao_Paulo", respond=0)
    yield ("br-lgpd", "know_specific"), Law("America/Sao_Paulo", respond=15)
    for right in ("correct", "delete", "restrict", "portability"):
        yield ("br-lgpd", right), Law("America/Sao_Paulo")
    yield ("ca-pipeda", "know_specific"), Law("America/Toronto", respond=30, extend=60)
    for right in ("know_specific", "correct"):
        yield ("ca-qc-private-sector", right), Law("America/Toronto", respond=30)


LAWS: dict[tuple[str, str], Law] = {**dict(_california()), **dict(_states()), **dict(_elsewhere())}


@dataclass(frozen=True)
class Story:
    """What happened: pauses as pairs of days, and the day on which what was asked for came."""

    received_at: datetime
    pauses: Sequence[tuple[date, date]] = ()
    came: date | None = None


@dataclass(frozen=True)
class Dates:
    """The dates, and beside each the last one that the law accepts."""

    received_on: date
    scheduled: dict[str, date] = field(default_factory=dict)
    latest: dict[str, date] = field(default_factory=dict)


def expected(regime: str, right: str, story: Story) -> Dates:
    """Work every date out again, from the numbers above."""
    law = LAWS[regime, right]
    received_on = local_day(story.received_at, law.zone)
    start = max(received_on, story.came) if law.restarts and story.came else received_on
    found = Dates(received_on)
    if law.acknowledge is not None:
        closed, milder = (safe, mon_fri) if law.acknowledge_in_business_days else (_never, _never)
        _note(
            found,
            "acknowledge_by",
            walk(start, law.acknowledge, closed),
            walk(start, law.acknowledge, milder),
        )
    if law.effective is not None:
        _note(found, "effective_by", walk(start, law.effective, safe), walk(start, law.effective, mon_fri))
    lost = _lost(start, story) if law.pauses else 0
    mild = lost + (law.pauses and any(first <= start <= last for first, last in story.pauses))
    for name, length in (("respond_by", law.respond), ("extend_to", law.extend)):
        if length is not None:
            early, late = _ends(law, start, length, lost), _ends(law, start, length, mild)
            _carry_both(found, name, law, min(early), max(late))
    return found


def _ends(law: Law, start: date, length: int, lost: int) -> set[date]:
    """Every way to read where a period ends."""
    if not law.months:
        return {walk(start, length, _never)}
    plain = walk(months_on(start, length), lost, _never)
    first = walk(months_on(start, law.respond or 0), lost, _never)
    return {plain, months_on(first, length - (law.respond or 0))}


def _carry_both(found: Dates, name: str, law: Law, early: date, late: date) -> None:
    scheduled = carry(early, law.carried) if law.carried else early
    milder = law.latest or law.carried
    _note(found, name, scheduled, carry(late, milder) if milder else late)


def _lost(start: date, story: Story) -> int:
    days = {first + n * DAY for first, last in story.pauses for n in range((last - first).days + 1)}
    return sum(day > start for day in days)


def _note(found: Dates, name: str, scheduled: date, latest: date) -> None:
    found.scheduled[name], found.latest[name] = scheduled, latest


def _never(_: date) -> bool:
    return False
