"""`habeas retention`: which closed requests' keys go when, the holds on them, and having them destroyed by a plan."""

import getpass
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

app = typer.Typer(
    help="Destroy closed requests' keys when nothing needs them; what was sealed under them is forgotten.",
    no_args_is_help=True,
)

Request = Annotated[UUID, typer.Argument(help="The closed request's id.")]
Actor = Annotated[
    str, typer.Option(help="Who decides; an account name, never an address.", envvar="HABEAS_ACTOR")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AdminUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="HABEAS_DATABASE_URL",
        help="An administrator's URL of the services' database.",
        show_default="the stack of this home",
    ),
]
ME = getpass.getuser()


@app.command(
    epilog="Examples:\n\nhabeas retention plan\n\nhabeas retention plan --through 2027-01-31\n\n"
    "habeas retention plan --save plan.jsonl"
)
def plan(
    *,
    through: Annotated[
        str | None, typer.Option(metavar="DATE", help="Look ahead to this day (UTC).", show_default="now")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Write the plan here, a request on each line, for `habeas retention run`."),
    ] = None,
    database_url: AdminUrl = None,
    as_json: AsJson = False,
) -> None:
    """Say which keys are due, held, or needed longer, by regime and resolution; destroys nothing."""
    from deploy.cli.retention_views import make_plan

    make_plan(through, save, database_url, as_json=as_json)


@app.command(epilog="Example: habeas retention run plan.jsonl")
def run(
    file: Annotated[Path, typer.Argument(help="The plan, as `habeas retention plan --save` wrote it.")],
    actor: Actor = ME,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    database_url: AdminUrl = None,
    as_json: AsJson = False,
) -> None:
    """Have the keys destroyed that a plan calls due; it cannot be undone. Interrupted, run it again.

    The deadline service decides each anew and refuses what is held, still needed, or gone. Exit 0 when all of the
    plan's keys are gone, 1 when some are not.
    """
    from deploy.cli.retention_views import run_plan

    raise typer.Exit(0 if run_plan(file, actor, database_url, confirmed=yes, as_json=as_json) else 1)


@app.command(epilog='Example: habeas retention hold 6f9c… --reason "litigation 24-118"')
def hold(
    request: Request,
    reason: Annotated[str, typer.Option(help="The duty to keep, such as a case number.")],
    actor: Actor = ME,
    *,
    as_json: AsJson = False,
) -> None:
    """Keep a closed request's key from now on; refused where it is gone or may be going.

    `habeas decide hold` does the same, whether the request still runs or not.
    """
    from deploy.cli.decisions import send
    from shared.events.commands import HoldRequestKey

    send(request, HoldRequestKey(hold_id=uuid4(), actor=actor, reason=reason), as_json=as_json)


@app.command("holds", epilog="Examples:\n\nhabeas retention holds\n\nhabeas retention holds --json")
def list_holds(*, database_url: AdminUrl = None, as_json: AsJson = False) -> None:
    """List the holds in force, of requests that run and of those that are over; why stands in each hold's command."""
    from deploy.cli.retention_views import show_holds

    show_holds(database_url, as_json=as_json)


@app.command(epilog="Example: habeas retention release 6f9c… --hold-id 0b1d…")
def release(
    request: Request,
    hold_id: Annotated[UUID, typer.Option(help="The hold's id, as `hold` printed it.")],
    actor: Actor = ME,
    *,
    as_json: AsJson = False,
) -> None:
    """Release a hold, also one that was placed while the request still ran; a key that is due then goes."""
    from deploy.cli.decisions import send
    from shared.events.commands import ReleaseRequestKey

    send(request, ReleaseRequestKey(hold_id=hold_id, actor=actor), as_json=as_json)
