"""`habeas vendors`: what the contracts make of each vendor, and what a vendor needs to be told over Kafka."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The companies that get people's data from the business.", no_args_is_help=True)

Folder = Annotated[
    Path,
    typer.Option(
        "--vendors", envvar="HABEAS_FULFILLMENT_VENDORS", help="The folder with a YAML for each vendor."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FOLDER = Path("deploy/vendors")
UNUSABLE = 3
CONTRADICTED = 4


@app.command(epilog="Example: habeas vendors classify evergreen-mail --json")
def classify(
    name: Annotated[str | None, typer.Argument(help="One vendor; all of them if none is named.")] = None,
    folder: Folder = FOLDER,
    *,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="As of this day; else today.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say by the terms of each contract whether a vendor is a service provider, a contractor or a third party.

    Every missing term is named, and what is sold or shared. Exit code 4: data flows that this class does not allow.
    """
    import json

    from deploy.cli.vendor_views import as_lines, as_mapping, classified

    today = _day(on)
    found = classified(folder, name, today)
    if as_json:
        typer.echo(json.dumps([as_mapping(one, today) for one in found]))
    else:
        typer.echo("\n\n".join(as_lines(one, today) for one in found))
    if any(one.contradictions for one in found):
        raise typer.Exit(CONTRADICTED)


@app.command(epilog="Example: habeas vendors onboard evergreen-mail --keys their-public-keys.json")
def onboard(
    name: Annotated[str, typer.Argument(help="The vendor, as its file is named.")],
    folder: Folder = FOLDER,
    *,
    keys: Annotated[
        Path | None, typer.Option(help="The vendor's own public keys (a JWKS); else a pair is made for it.")
    ] = None,
    topics: Annotated[bool, typer.Option(help="Make its two topics on the broker.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make what a vendor needs to be told over Kafka: keys, topics, access rules, and a page that explains it.

    It lies in `vendors/NAME` below HABEAS_HOME. Repeat it to give out the page and our newest keys again.
    """
    import json

    from deploy.cli.vendor_views import next_steps, onboarded

    handed = onboarded(folder, name, keys, topics=topics)
    files = sorted(path.name for path in handed.iterdir())
    if as_json:
        typer.echo(json.dumps({"vendor": name, "folder": str(handed), "files": files}))
        return
    for line in next_steps(handed, files):
        typer.echo(line)


def _day(text: str | None) -> date:
    from shared.clock import SystemClock

    if text is None:
        return SystemClock().now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a day is written like 2026-11-21", param_hint="--on") from None
