"""`habeas letters`: tell people whom no mail reaches, by paper, telephone or in person, and record that it was done."""

import getpass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

app = typer.Typer(
    help="Letters to people whom no mail reaches: what waits, print it, record that it went out.",
    no_args_is_help=True,
)

Request = Annotated[UUID, typer.Argument(help="The request's id, as `habeas letters list` prints it.")]
Home = Annotated[Path, typer.Option("--home", envvar="HABEAS_HOME", help="This installation's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[
    str | None,
    typer.Option("--notice", help="Which one, such as answer or extension; needed where several wait."),
]
DEFAULT_HOME = Path(".habeas")
ME = getpass.getuser()


class Way(StrEnum):
    letter = "letter"
    phone = "phone"
    in_person = "in_person"


@app.command("list", epilog="Example: habeas letters list")
def list_(home: Home = DEFAULT_HOME, *, as_json: AsJson = False) -> None:
    """List what people still have to be told by hand, the most urgent first; shows no identity."""
    import asyncio

    from deploy.cli.letters_desk import waiting_letters
    from deploy.cli.letters_views import show_waiting

    show_waiting(asyncio.run(waiting_letters(home)), as_json=as_json)


@app.command("print", epilog="Example: habeas letters print 6f9c… --to letter.pdf")
def print_(  # noqa: PLR0913 - one option for each thing that can be said
    request: Request,
    to: Annotated[Path, typer.Option(help="Write the letter here, mode 0600.")],
    notice: Which = None,
    answer_to: Annotated[
        Path | None,
        typer.Option(help="Write the archive to enclose here, mode 0600.", show_default="beside the letter"),
    ] = None,
    home: Home = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Make the letter, a tagged PDF with the person's address, and the archive that goes with it.

    Needs intake's keys and environment. Print the archive's index.html, or copy the archive to a medium; remove both
    files when the letter is posted.
    """
    import asyncio

    from deploy.cli.letters_desk import print_letter
    from deploy.cli.letters_views import show_printed

    show_printed(asyncio.run(print_letter(home, request, notice, to, answer_to)), as_json=as_json)


@app.command(
    epilog="Examples:\n\n"
    "habeas letters posted 6f9c… --evidence postbook/2026-118\n\n"
    "habeas letters posted 6f9c… --by phone --on 2026-03-04 --evidence call-4711 --notice acknowledgement"
)
def posted(  # noqa: PLR0913 - one option for each thing that is stated
    request: Request,
    evidence: Annotated[
        str, typer.Option(help="Where it is proved: a line of the post book, a call's number.")
    ],
    *,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="The day it was done on, where you are.", show_default="today"
        ),
    ] = None,
    by: Annotated[Way, typer.Option(help="How the person was told.")] = Way.letter,
    notice: Which = None,
    actor: Annotated[
        str, typer.Option(help="Who says so; an account name, never an address.", envvar="HABEAS_ACTOR")
    ] = ME,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Record that the person was told: from then on the notice counts as given, and the certificate names it."""
    from deploy.cli.decisions import send
    from deploy.cli.letters_desk import Handed, handover

    body = handover(home, request, notice, Handed(by.value, on and on.date(), evidence, actor))
    send(request, body, as_json=as_json)
