"""How dates and rules are printed: one JSON object for programs, a small table for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from deploy.cli.deadline_views import not_offered
from deploy.cli.policy_notes import notes
from shared.policy import Regime, Right, load_regime, regime_names
from shared.policy.calendars.drafting import draft, rows
from shared.policy.calendars.holidays import Holiday
from shared.policy.clockwork.periods import AnyPeriod, Immediately
from shared.policy.differences import Difference
from shared.policy.regimes import parse_calendars, table_of
from shared.policy.sourced import Rule


def print_regime(regime: Regime, rights: tuple[Right, ...], *, as_json: bool) -> None:
    """Print a regime with these rights alone."""
    if as_json:
        typer.echo(json.dumps(_regime_json(regime, rights)))
    else:
        Console().print(_heading(regime), _rights_table(regime, rights))
        for line in notes(regime, rights):
            Console().print(line, markup=False, highlight=False)


def print_regimes(*, as_json: bool) -> None:
    """Print every regime with one line: whom it protects, whether it is offered."""
    regimes = [load_regime(name) for name in regime_names()]
    if as_json:
        typer.echo(json.dumps([_line_json(regime) for regime in regimes]))
        return
    table = _table("regime", "law", "offered", "unconfirmed")
    for regime in regimes:
        rules = regime.rules
        weak = len(dict(rules.unconfirmed()))
        table.add_row(regime.id, rules.words, "yes" if rules.offered else "no", str(weak or "-"))
    Console().print(table)


def print_differences(found: Sequence[Difference], *, as_json: bool) -> None:
    """Print each value that differs, before and after."""
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    table = _table("rule", "before", "after")
    for one in found:
        table.add_row(one.path, one.before or "-", one.after or "-")
    Console().print(table if found else "no difference")


def print_tables(places: Sequence[str], *, as_json: bool) -> None:
    """Print each holiday table with its years and its calendars."""
    tables = [parse_calendars(table_of(place)) for place in places]
    if as_json:
        typer.echo(json.dumps([{"place": one.place, "years": list(one.years)} for one in tables]))
        return
    shown = _table("place", "years", "calendars")
    for one in tables:
        shown.add_row(one.place, f"{one.years[0]} to {one.years[-1]}", ", ".join(one.calendars))
    Console().print(shown)


def print_drafts(places: Sequence[str], year: int, *, as_json: bool) -> None:
    """Print the rows of a year, ready for calendars/<place>.yaml."""
    drafts = {place: draft(place, year) for place in places}
    if as_json:
        typer.echo(
            json.dumps({place: [_holiday_json(one) for one in found] for place, found in drafts.items()})
        )
        return
    for place, found in drafts.items():
        typer.echo(
            f"# {year} for calendars/{place}.yaml: a draft; confirm every row, the computed ones first."
        )
        typer.echo(rows(found))


def _holiday_json(one: Holiday) -> dict[str, object]:
    return one.model_dump(mode="json", by_alias=True)


def _line_json(regime: Regime) -> dict[str, object]:
    rules = regime.rules
    return {
        "regime": regime.id,
        "words": rules.words,
        "version": regime.version,
        "offered": rules.offered,
        "because": rules.because,
        "unconfirmed": list(dict.fromkeys(name for name, _ in rules.unconfirmed())),
        "rights": list(rules.rights),
    }


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _regime_json(regime: Regime, rights: tuple[Right, ...]) -> dict[str, object]:
    everything = regime.rules.model_dump(mode="json", by_alias=True)
    everything["rights"] = {right: everything["rights"][right] for right in rights}
    return {"version": regime.version, **everything}


def _heading(regime: Regime) -> str:
    rules = regime.rules
    offered = "offered" if rules.offered else "not offered"
    return (
        f"{rules.words}\n{rules.regime}, version {regime.version}, {offered}, "
        f"in force from {rules.effective.first}, dates in {rules.time_zone}"
        + ("" if rules.offered else f"\n{not_offered(regime)}")
    )


def _rights_table(regime: Regime, rights: tuple[Right, ...]) -> Table:
    caption = "bd business days, d calendar days, mo months; the tag after a source says how sure it is"
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    for heading in ("right", "verified", "ack", "answer", "extended", "source"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"right", "verified"})
    for right in rights:
        table.add_row(right, *_right_cells(regime, right))
    return table


def _right_cells(regime: Regime, right: Right) -> tuple[str, ...]:
    rules = regime.right(right)
    clocks = rules.clocks
    periods = (clocks.acknowledge, clocks.respond or clocks.effective, clocks.extend)
    return (rules.verification.degree, *map(_period, periods), _source(regime, rules))


_UNITS = {"business_day": "bd", "calendar_day": "d", "month": "mo"}


def _period(rule: AnyPeriod | None) -> str:
    if rule is None:
        return "-"
    return "at once" if isinstance(rule, Immediately) else f"{rule.n} {_UNITS[rule.unit]}"


def _source(regime: Regime, rule: Rule) -> str:
    """Name the source and how sure it is, and when a right begins later than its regime."""
    later = rule.effective.first > regime.rules.effective.first
    return f"{rule.cite} \\[{rule.confidence}]" + (f", from {rule.effective.first}" if later else "")
