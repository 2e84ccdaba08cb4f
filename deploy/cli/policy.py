"""`habeas policy`: what a regime says, with the source of every rule."""

import json
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from deploy.cli.policy_arguments import read_regime, read_right, refuse_policy
from shared.policy import Regime, Right, RightNotOfferedError
from shared.policy.rules import BusinessDays, CalendarDays, Rule

app = typer.Typer(help="Look at the law as data.", no_args_is_help=True)


@app.callback()
def policy() -> None:
    """Look at the law as data."""


@app.command(
    epilog="Examples:\n\nhabeas policy show us-ca-ccpa\n\nhabeas policy show us-ca-ccpa --right delete --json"
)
def show(
    regime: Annotated[str, typer.Argument(help="The body of rules, such as us-ca-ccpa.")],
    right: Annotated[str | None, typer.Option(help="Show this right alone.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print a regime's rights with their clocks, degree of verification, source and confidence."""
    rules = read_regime(regime)
    chosen = (read_right(right),) if right else tuple(rules.rules.rights)
    try:
        shown = {name: rules.right(name) for name in chosen}
    except RightNotOfferedError as error:
        refuse_policy(error)
    if as_json:
        typer.echo(json.dumps(_as_json(rules, chosen)))
    else:
        Console().print(_heading(rules), _table(rules, tuple(shown)))


def _as_json(regime: Regime, chosen: tuple[Right, ...]) -> dict[str, object]:
    everything = regime.rules.model_dump(mode="json", by_alias=True)
    everything["rights"] = {name: everything["rights"][name] for name in chosen}
    return {"version": regime.version, **everything}


def _heading(regime: Regime) -> str:
    rules = regime.rules
    offered = "offered" if rules.offered else "not offered: some of its rules are unconfirmed"
    return (
        f"{rules.words}\n{rules.regime}, version {regime.version}, {offered}, "
        f"in force from {rules.effective.first}, dates in {rules.time_zone}"
    )


def _table(regime: Regime, chosen: tuple[Right, ...]) -> Table:
    table = Table(box=box.SIMPLE, caption="bd business days, d calendar days", caption_justify="left")
    for heading in ("right", "verified", "acknowledge", "answer", "extended", "source"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"right", "verified"})
    for name in chosen:
        rules = regime.right(name)
        clocks = rules.clocks
        periods = (clocks.acknowledge, clocks.respond or clocks.effective, clocks.extend)
        table.add_row(name, rules.verification.degree, *map(_period, periods), _source(regime, rules))
    return table


def _period(rule: BusinessDays | CalendarDays | None) -> str:
    if rule is None:
        return "-"
    return f"{rule.n} {'bd' if isinstance(rule, BusinessDays) else 'd'}"


def _source(regime: Regime, rule: Rule) -> str:
    """Name the source and how sure it is, and when a right begins later than its regime."""
    later = rule.effective.first > regime.rules.effective.first
    return f"{rule.cite} \\[{rule.confidence}]" + (f", from {rule.effective.first}" if later else "")
