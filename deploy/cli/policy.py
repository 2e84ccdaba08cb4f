"""`habeas policy`: what the regimes say, with the source of every rule; whether their files are sound."""

from typing import Annotated

import typer

app = typer.Typer(help="Look at the law as data.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.callback()
def policy() -> None:
    """Look at the law as data."""


@app.command(
    epilog="Examples:\n\nhabeas policy show\n\nhabeas policy show us-ca-ccpa\n\n"
    "habeas policy show us-ca-ccpa --right delete --json"
)
def show(
    regime: Annotated[
        str | None, typer.Argument(help="The body of rules; without it all are listed.")
    ] = None,
    right: Annotated[str | None, typer.Option(help="Show this right alone.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Print a regime's rights with their clocks, degree of verification, source and confidence."""
    from deploy.cli.policy_arguments import read_granted_right, read_regime_name, refuse
    from deploy.cli.policy_views import print_regime, print_regimes

    if regime is None:
        if right is not None:
            refuse("--right", "name the regime too")
        print_regimes(as_json=as_json)
        return
    rules = read_regime_name(regime)
    chosen = (read_granted_right(rules, right),) if right is not None else tuple(rules.rules.rights)
    print_regime(rules, chosen, as_json=as_json)


@app.command(epilog="Examples:\n\nhabeas policy check\n\nhabeas policy check my-regime.yaml")
def check(
    paths: Annotated[list[str] | None, typer.Argument(help="Policy files; without them our own.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Read every policy file and holiday table strictly; exit 1 if one is broken or ends too soon."""
    from deploy.cli.policy_checks import check_all, check_file

    found = [check_file(path) for path in paths] if paths else check_all()
    broken = [one for one in found if one.problem]
    if as_json:
        import json

        typer.echo(
            json.dumps([{"name": one.name, "problem": one.problem, "says": one.says} for one in found])
        )
    else:
        for one in found:
            typer.echo(f"{one.name}: {one.problem or one.says}", err=one.problem is not None)
    raise typer.Exit(1 if broken else 0)


@app.command(
    epilog="Examples:\n\nhabeas policy diff us-va-vcdpa us-ia-icdpa\n\nhabeas policy diff old.yaml us-ca-ccpa"
)
def diff(
    before: Annotated[str, typer.Argument(help="A regime or the path of a policy file.")],
    after: Annotated[str, typer.Argument(help="A regime or the path of a policy file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Print every rule that differs between two regimes, or between two versions of one."""
    from deploy.cli.policy_arguments import read_regime_or_file
    from deploy.cli.policy_views import print_differences
    from shared.policy.differences import differences

    print_differences(differences(read_regime_or_file(before), read_regime_or_file(after)), as_json=as_json)


@app.command(
    epilog="Examples:\n\nhabeas policy calendars\n\nhabeas policy calendars --year 2030\n\n"
    "habeas policy calendars --year 2030 --place gb-eaw"
)
def calendars(
    year: Annotated[int | None, typer.Option(min=2026, max=2099, help="The year to draft.")] = None,
    place: Annotated[str | None, typer.Option(help="The place; without it all.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the holiday tables, or draft a year's rows for a person to confirm and add."""
    from deploy.cli.policy_arguments import read_place
    from deploy.cli.policy_views import print_drafts, print_tables

    chosen = read_place(place)
    if year is None:
        print_tables(chosen, as_json=as_json)
    else:
        print_drafts(chosen, year, as_json=as_json)
