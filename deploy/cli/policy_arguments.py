"""Reading regimes, rights, places and times from the command line, each refused in one sentence."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from yaml import YAMLError

from shared.policy import (
    DateOutOfRangeError,
    Fact,
    NotInForceError,
    Regime,
    Right,
    RightNotOfferedError,
    UnknownRegimeError,
    UnknownRightError,
    load_regime,
    parse_right,
    regime_names,
)
from shared.policy.clockwork.happenings import Event, UnknownHappeningError, parse_happening
from shared.policy.clockwork.history import EventBeforeReceiptError
from shared.policy.clockwork.outlook import Outlook, look_ahead
from shared.policy.dates import local_date
from shared.policy.regimes import places, read_regime
from shared.policy.selection import UnknownFactError, UnknownResidencyError, parse_fact, select

EXAMPLE: Final = "2026-01-15T10:00:00-08:00 or 2026-01-15T18:00:00Z"
EVENT_EXAMPLE: Final = "extension-notice:2026-03-10 or extension-notice:2026-03-10T09:00:00-07:00"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_regime_name(text: str) -> Regime:
    """Take a regime's name, or a place that has one law alone: us-va means us-va-vcdpa."""
    of_the_place = [name for name in regime_names() if name.startswith(f"{text}-")]
    try:
        return load_regime(of_the_place[0] if len(of_the_place) == 1 else text)
    except UnknownRegimeError as error:
        refuse("--regime", str(error))


def read_regime_or_file(text: str) -> Regime:
    """Take a regime's name or the path of a policy file."""
    path = Path(text)
    if not path.is_file():
        return read_regime_name(text)
    try:
        return read_regime(path.read_bytes())
    except (ValueError, YAMLError):
        refuse(text, "not a sound policy file; habeas policy check says where")


def read_regimes(regime: str | None, residency: str | None, facts: Sequence[Fact]) -> tuple[Regime, ...]:
    """Take the regime that is named, or every one that a residency and the facts select."""
    if (regime is None) == (residency is None):
        refuse("--regime", "name a regime, or the place where the person lives with --residency")
    if regime is not None:
        return (read_regime_name(regime),)
    try:
        return select(residency or "", facts)
    except UnknownResidencyError as error:
        refuse("--residency", str(error))


def read_place(text: str | None) -> tuple[str, ...]:
    """Take one place that has a holiday table, or all."""
    if text is None:
        return places()
    if text not in places():
        refuse("--place", f"place must be one of {', '.join(places())}")
    return (text,)


def read_facts(texts: Sequence[str]) -> tuple[Fact, ...]:
    try:
        return tuple(parse_fact(text) for text in texts)
    except UnknownFactError as error:
        refuse("--fact", str(error))


def read_right(text: str) -> Right:
    try:
        return parse_right(text)
    except UnknownRightError as error:
        refuse("--right", str(error))


def read_granted_right(regime: Regime, text: str) -> Right:
    """Take a right only if the regime has it, in force or to come."""
    right = read_right(text)
    try:
        regime.right(right)
    except RightNotOfferedError as error:
        refuse("--right", str(error))
    return right


def read_received(text: str, zone: str | None = None, option: str = "--received") -> datetime:
    """Take an instant only with its offset or zone: the same wall clock elsewhere can be another date."""
    place = read_zone(zone) if zone is not None else None
    try:
        received_at = datetime.fromisoformat(text)
    except ValueError:
        refuse(option, f"not a date and time that exists; write it as {EXAMPLE}")
    if received_at.utcoffset() is not None:
        return received_at
    if place is None or _DATE.fullmatch(text):
        refuse(option, f"the offset from UTC is missing; write it as {EXAMPLE}")
    return _on_the_wall(received_at, place)


def read_zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse("--zone", "no such time zone; write it as America/Los_Angeles")


def read_events(texts: Sequence[str], regime: Regime) -> tuple[Event, ...]:
    return tuple(_read_event(text, regime) for text in texts)


def outlooks_or_refuse(
    regimes: Sequence[Regime],
    right: Right,
    received_at: datetime,
    facts: Sequence[Fact],
    events: Sequence[str],
) -> list[Outlook]:
    """Compute the dates under each regime that grants the right, or blame the option that could not be followed."""
    problems = []
    found = []
    for regime in regimes:
        try:
            read = read_events(events, regime)
            found.append(look_ahead(regime, right, received_at, facts=facts, events=read))
        except RightNotOfferedError as error:
            problems.append(("--received" if isinstance(error, NotInForceError) else "--right", str(error)))
        except DateOutOfRangeError as error:
            refuse("--received", str(error))
        except EventBeforeReceiptError as error:
            refuse("--event", str(error))
    if not found:
        refuse(*(problems[0] if problems else ("--residency", "no regime applies; see --fact")))
    return found


def refuse(field: str, sentence: str) -> NoReturn:
    """Name the field and the remedy on standard error, and exit 2."""
    typer.echo(f"{field}: {sentence}.", err=True)
    raise typer.Exit(2)


def _on_the_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    """Place a wall clock's time in its zone; an hour that the clocks jump over is nobody's."""
    placed = wall.replace(tzinfo=zone)
    there = datetime.fromtimestamp(placed.timestamp(), zone).replace(tzinfo=None)
    if there != wall:
        refuse("--received", f"the clocks in {zone.key} jump over that time; write it with its offset")
    return placed


def _read_event(text: str, regime: Regime) -> Event:
    name, _, when = text.partition(":")
    try:
        kind = parse_happening(name)
    except UnknownHappeningError as error:
        refuse("--event", str(error))
    try:
        if _DATE.fullmatch(when):
            return Event(kind, date.fromisoformat(when))
        at = datetime.fromisoformat(when)
        return Event(kind, local_date(at, regime.zone), at)
    except ValueError:
        refuse(
            "--event", f"not a date that exists, or a time without its offset; write it as {EVENT_EXAMPLE}"
        )
