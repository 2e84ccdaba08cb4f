"""Judges what became of a request by another count of its dates: days walked one by one, from the numbers of the law.

It reads no policy file and calls none of the services' functions. What it is given are the bytes that lay on the
topics, and when the mail server took each notice; every date that was stated is worked out again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from tests.support import almanac
from tests.support.almanac import DUES, PACIFIC, Dates, Story, expected, local_day
from tests.two_years.told import Fact, Told

CALIFORNIA = "us-ca-ccpa"
ADMT = ("opt_out_admt", "access_admt", "appeal_admt")
ADMT_FROM = date(2027, 1, 1)
VERIFIED = ("know_categories", "know_specific", "delete", "correct", "access_admt", "appeal_admt")
FINAL = ("answer", "denial", "withdrawal")
LADDERS = {"acknowledge": (3, 1), "respond": (20, 10, 5, 2, 1), "effective": (7, 3, 1)}
ANSWER_DAYS = 10
# An answer's settling alone; its download; the last look at a restored backup.
KEPT_DAYS = {"denied": 10, "withdrawn": 10, "nothing_found": 30, "complete": 35, "partial": 35}

first_late_instant = cache(almanac.first_late_instant)


@dataclass
class Checked:
    """What is wrong with one request, and how many dates were compared."""

    wrong: list[str]
    dates: int = 0

    def same(self, what: str, stated: object, worked_out: object) -> None:
        """Compare one date, instant or word."""
        self.dates += 1
        if stated != worked_out:
            self.wrong.append(f"{what}: stated {stated}, worked out {worked_out}")

    def holds(self, what: str, *, true: bool) -> None:
        self.dates += 1
        if not true:
            self.wrong.append(what)


def check(right: str, arrives_at: datetime, told: Told) -> Checked:
    """Find everything that disagrees."""
    checked = Checked([])
    received = told.all("dsar.request.received.v1")
    refused = bool(told.refusals) and not received
    not_yet = right in ADMT and _taken_on(told, arrives_at) < ADMT_FROM
    checked.same("taken in", bool(received), not not_yet)
    if received and not refused:
        _judge(checked, right, received[0], told)
    return checked


def _taken_on(told: Told, arrives_at: datetime) -> date:
    """Over the web a request is received when it could be sent."""
    stated = [fact.body["received_at"] for fact in told.all("dsar.request.received.v1")]
    if stated:
        return local_day(datetime.fromisoformat(stated[0]), PACIFIC)
    by_telephone = told.all("dsar.intake.submission-refused.v1")
    refused_at = [at for at, ce_type, _ in told.refusals if ce_type == "local"]
    return local_day(refused_at[0] if refused_at and not by_telephone else arrives_at, PACIFIC)


def _judge(checked: Checked, right: str, received: Fact, told: Told) -> None:
    received_at = datetime.fromisoformat(received.body["received_at"])
    dates = expected(CALIFORNIA, right, Story(received_at))
    _started(checked, right, received, dates)
    moved = _extension(checked, dates, told)
    _verified(checked, right, dates, told)
    _warned(checked, dates, told)
    _missed(checked, dates, told, moved=moved)
    _closed(checked, dates, told, moved=moved)
    _forgotten(checked, told)
    _mailed(checked, right, told)


def _started(checked: Checked, right: str, received: Fact, dates: Dates) -> None:
    """Every date that the request began with."""
    clocks = received.body["clocks"]
    checked.same("received on", clocks["received_on"], str(dates.received_on))
    for name in DUES:
        due = clocks.get(name) or {}
        checked.same(name, due.get("date"), _text(dates.scheduled.get(name)))
        checked.same(f"{name}, lawful until", due.get("legal_latest"), _text(dates.latest.get(name)))
        if due:
            late = first_late_instant(dates.scheduled[name], PACIFIC)
            checked.same(f"{name}, late from", datetime.fromisoformat(due["late_from"]), late)
    verify_by = clocks.get("verify_by") or {}
    worked_out = _text(_verify_by(dates)) if right in VERIFIED else None
    checked.same("verify_by", verify_by.get("date"), worked_out)


def _extension(checked: Checked, dates: Dates, told: Told) -> bool:
    """The date moved if and only if its notice was handed over while the first period ran, and it was needed."""
    stated = told.all("dsar.deadline.extended.v1")
    checked.holds("extended once at the most", true=len(stated) <= 1)
    in_time = [at for kind, at in told.mails if kind == "extension" and _before(at, dates, "respond_by")]
    for fact in stated:
        due = fact.body["respond_by"]
        checked.same("extended to", due["date"], _text(dates.scheduled.get("extend_to")))
        told_at = datetime.fromisoformat(fact.body["notice_handed_over_at"])
        checked.holds("an extension rests on a notice in time", true=told_at in in_time)
        checked.holds("an extension has reasons", true=bool(fact.body["reasons"]))
    answered = _first(told, FINAL)
    needed = answered is None or not _before(answered, dates, "respond_by")
    if in_time and needed and not _taken_back(told):
        checked.holds("a notice in time moved the date", true=bool(stated))
    return bool(stated)


def _verified(checked: Checked, right: str, dates: Dates, told: Told) -> None:
    """Nobody is given up before the day that leaves ten for the answer; an opt-out is never asked for proof."""
    for fact in told.all("dsar.request.verified.v1"):
        concluded_at = datetime.fromisoformat(fact.body["concluded_at"])
        if right not in VERIFIED:
            checked.same("conclusion", fact.body["conclusion"], "not_needed")
        elif fact.body["conclusion"] in ("failed", "downgraded"):
            day = _verify_by(dates)
            checked.holds("waited for proof", true=concluded_at >= first_late_instant(day, PACIFIC))


def _warned(checked: Checked, dates: Dates, told: Told) -> None:
    """Each warning names the right date and the days that are left, before the date, once per rung."""
    seen: set[tuple[str, str, int]] = set()
    for fact in told.all("dsar.deadline.approaching.v1"):
        clock, due, left = fact.body["clock"], fact.body["due"]["date"], fact.body["days_left"]
        day = date.fromisoformat(due)
        known = [dates.scheduled.get(name) for name in _names(clock)]
        checked.holds(f"a warning's date is one of the request's: {due}", true=day in known)
        checked.same("days left", left, (day - local_day(fact.at, PACIFIC)).days)
        checked.holds("no warning after its date", true=fact.at < first_late_instant(day, PACIFIC))
        checked.holds("no warning before its ladder", true=left <= LADDERS[clock][0])
        checked.holds("no warning of what was done", true=not _done_before(told, clock, fact.at))
        rung = min((step for step in LADDERS[clock] if step >= left), default=left)
        checked.holds("one warning for a rung", true=(clock, due, rung) not in seen)
        seen.add((clock, due, rung))


def _done_before(told: Told, clock: str, at: datetime) -> bool:
    """Long enough ago for every service to have heard of it."""
    done = _first(told, (*FINAL, "acknowledgement") if clock == "acknowledge" else FINAL)
    return done is not None and at - done > timedelta(days=4)


def _missed(checked: Checked, dates: Dates, told: Told, *, moved: bool) -> None:
    """What stands as missed in the end is exactly what was done too late or never."""
    standing: dict[str, int] = {}
    for fact in told.facts:
        if fact.type == "dsar.deadline.missed.v1":
            clock, due = fact.body["clock"], date.fromisoformat(fact.body["due"]["date"])
            standing[clock] = standing.get(clock, 0) + 1
            checked.holds("missed after its date", true=fact.at >= first_late_instant(due, PACIFIC))
            checked.holds("missed is raised once", true=standing[clock] == 1)
        elif fact.type == "dsar.deadline.miss-withdrawn.v1":
            standing[fact.body["clock"]] -= 1
    for clock in LADDERS:
        name = _names(clock)[1 if moved else 0]
        if _names(clock)[0] in dates.scheduled:
            late = not _kept(told, clock, dates.scheduled[name])
            checked.same(f"{clock} missed", standing.get(clock, 0) == 1, late)


def _closed(checked: Checked, dates: Dates, told: Told, *, moved: bool) -> None:
    """Closed once, in time or not as the mail server's word has it; the certificate says the same dates."""
    [closed] = told.all("dsar.request.closed.v1")
    answer = "effective_by" if "effective_by" in dates.scheduled else "extend_to" if moved else "respond_by"
    clock = "effective" if answer == "effective_by" else "respond"
    in_time = answer not in dates.scheduled or _kept(told, clock, dates.scheduled[answer])
    checked.same("closed in time", closed.body["in_time"], in_time)
    _asked_again(checked, closed, dates, told)
    said = json.loads(told.tasks["deadline", "certificate"].body["payload"])
    for name in ("acknowledge_by", "respond_by", "effective_by"):
        checked.same(f"certificate: {name}", (said[name] or {}).get("date"), _text(dates.scheduled.get(name)))
    extended = _text(dates.scheduled["extend_to"]) if moved else None
    checked.same("certificate: extended to", (said["extended_to"] or {}).get("date"), extended)
    checked.same("certificate: in time", said["in_time"], in_time)
    mailed = {at for _, at in told.mails}
    handed_over = [datetime.fromisoformat(one["handed_over_at"]) for one in said["notices"]]
    checked.holds("no notice claims a time that it did not have", true=set(handed_over) <= mailed)


def _asked_again(checked: Checked, closed: Fact, dates: Dates, told: Told) -> None:
    """After an opt-out, a year from the day of the answer; where that day has no anniversary, the day after it."""
    answered = _first(told, FINAL)
    wanted = None
    if (
        "effective_by" in dates.scheduled
        and closed.body["resolution"] in ("complete", "partial")
        and answered
    ):
        day = local_day(answered, PACIFIC)
        leap = (day.month, day.day) == (2, 29)
        wanted = date(day.year + 1, 3, 1) if leap else date(day.year + 1, day.month, day.day)
    checked.same("ask again from", closed.body["ask_again_from"], _text(wanted))


def _forgotten(checked: Checked, told: Told) -> None:
    """The key is destroyed on the first midnight after the days in which somebody may need it, or when we are up."""
    [closed] = told.all("dsar.request.closed.v1")
    kept = timedelta(days=KEPT_DAYS[closed.body["resolution"]])
    last = local_day(datetime.fromisoformat(closed.body["closed_at"]), PACIFIC) + kept
    plan = told.tasks["deadline", "destroy_key"]
    checked.same("key kept until", plan.urgency, first_late_instant(last, PACIFIC))
    checked.holds("key destroyed after that", true=told.ended["destroy_key"] >= plan.urgency)


def _mailed(checked: Checked, right: str, told: Told) -> None:
    kinds = [kind for kind, _ in told.mails]
    if right not in VERIFIED:
        checked.holds("an opt-out is sent no code", true="verification_code" not in kinds)
    checked.holds("one answer", true=sum(kind in FINAL for kind in kinds) == 1)


def _kept(told: Told, clock: str, day: date) -> bool:
    kinds = (*FINAL, "acknowledgement") if clock == "acknowledge" else FINAL
    times = [at for at in (_first(told, kinds), _taken_back(told)) if at is not None]
    return bool(times) and min(times) < first_late_instant(day, PACIFIC)


def _taken_back(told: Told) -> datetime | None:
    """When the request was taken back, if that is how it ended."""
    ended = [fact.body["resolution"] for fact in told.all("dsar.request.fulfilled.v1")]
    times = [datetime.fromisoformat(f.body["withdrawn_at"]) for f in told.all("dsar.request.withdrawn.v1")]
    return times[0] if times and ended == ["withdrawn"] else None


def _first(told: Told, kinds: tuple[str, ...]) -> datetime | None:
    return min((at for kind, at in told.mails if kind in kinds), default=None)


def _before(at: datetime, dates: Dates, name: str) -> bool:
    return name in dates.scheduled and at < first_late_instant(dates.scheduled[name], PACIFIC)


def _verify_by(dates: Dates) -> date:
    return dates.scheduled["respond_by"] - timedelta(days=ANSWER_DAYS)


def _names(clock: str) -> tuple[str, str]:
    return (f"{clock}_by", "extend_to" if clock == "respond" else f"{clock}_by")


def _text(day: date | None) -> str | None:
    return str(day) if day else None


def all_wrong(checked: Checked, number: int) -> Iterator[str]:
    """Each disagreement, so that it can be lived again."""
    return (f"request {number}: {one}" for one in checked.wrong)
