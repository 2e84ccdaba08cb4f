"""How dates and rules are printed: one JSON object for programs, a small table for people."""

import json

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from shared.policy import Clocks, DueDate, Regime, Right
from shared.policy.rules import BusinessDays, CalendarDays, Rule

PRINTED = ("acknowledge_by", "respond_by", "extend_to", "effective_by")


def print_clocks(clocks: Clocks, *, as_json: bool) -> None:
    """Print exactly the documented dates, null or a dash where the right lacks the clock."""
    if as_json:
        typer.echo(json.dumps(clocks.model_dump(mode="json", include={"right", "received_on", *PRINTED})))
    else:
        Console().print(_clocks_table(clocks))


def print_regime(regime: Regime, rights: tuple[Right, ...], *, as_json: bool) -> None:
    """Print a regime with these rights alone."""
    if as_json:
        typer.echo(json.dumps(_regime_json(regime, rights)))
    else:
        Console().print(_heading(regime), _rights_table(regime, rights))


def _clocks_table(clocks: Clocks) -> Table:
    title = f"{clocks.right}, received on {clocks.received_on}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("clock", "date", "late from (UTC)", "lawful until", "source"):
        table.add_column(heading, overflow="fold")
    for name in PRINTED:
        table.add_row(name, *_due_cells(getattr(clocks, name)))
    return table


def _due_cells(due: DueDate | None) -> tuple[str, ...]:
    if due is None:
        return ("-", "", "", "")
    return (str(due.date), f"{due.late_from:%Y-%m-%d %H:%M}", str(due.legal_latest), due.cite)


def _regime_json(regime: Regime, rights: tuple[Right, ...]) -> dict[str, object]:
    everything = regime.rules.model_dump(mode="json", by_alias=True)
    everything["rights"] = {right: everything["rights"][right] for right in rights}
    return {"version": regime.version, **everything}


def _heading(regime: Regime) -> str:
    rules = regime.rules
    offered = "offered" if rules.offered else "not offered: some of its rules are unconfirmed"
    return (
        f"{rules.words}\n{rules.regime}, version {regime.version}, {offered}, "
        f"in force from {rules.effective.first}, dates in {rules.time_zone}"
    )


def _rights_table(regime: Regime, rights: tuple[Right, ...]) -> Table:
    caption = "bd business days, d calendar days; the tag after a source says how sure it is"
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


def _period(rule: BusinessDays | CalendarDays | None) -> str:
    if rule is None:
        return "-"
    return f"{rule.n} {'bd' if isinstance(rule, BusinessDays) else 'd'}"


def _source(regime: Regime, rule: Rule) -> str:
    """Name the source and how sure it is, and when a right begins later than its regime."""
    later = rule.effective.first > regime.rules.effective.first
    return f"{rule.cite} \\[{rule.confidence}]" + (f", from {rule.effective.first}" if later else "")
