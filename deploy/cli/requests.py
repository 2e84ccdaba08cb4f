"""`habeas request`: make a request, look at it, take it back; and the staff's list.

What tells who somebody is comes by file or standard input, never as an argument: arguments can be read by everyone
on the machine. The same holds for a request's secret.
"""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

app = typer.Typer(help="Make, look at and take back privacy requests.", no_args_is_help=True)

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="HABEAS_INTAKE_URL",
        help="Where intake answers.",
        show_default="the one that runs here",
    ),
]
Home = Annotated[Path, typer.Option("--home", envvar="HABEAS_HOME", help="This installation's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Saved = Annotated[
    Path,
    typer.Option(
        "--saved",
        help="The receipt that `submit --save` wrote; - reads it from standard input.",
        allow_dash=True,
    ),
]
DEFAULT_HOME = Path(".habeas")


@app.command(
    epilog="Examples:\n\n"
    "habeas request submit --right delete --email-file email.txt --save receipt.json\n\n"
    'echo \'{"email": "...", "customer_id": "..."}\' | habeas request submit --right know --claims - --json\n\n'
    "habeas request submit --right delete --email-file email.txt --again receipt.json\n\n"
    "habeas request submit --right opt_in --confirmed --email-file email.txt"
)
def submit(  # noqa: PLR0913 - one option for each thing that can be said
    *,
    right: Annotated[str, typer.Option(help="What is asked, such as delete, know or opt_out.")],
    residency: Annotated[str, typer.Option(help="Where the person lives.")] = "US-CA",
    business: Annotated[str | None, typer.Option(help="The business that is asked.")] = None,
    language: Annotated[str | None, typer.Option(help="The language of the answer: en or es.")] = None,
    channel: Annotated[
        str, typer.Option(help="How the request came in: web, phone, mail, store ...")
    ] = "web",
    email_file: Annotated[
        Path | None, typer.Option(help="A file with the e-mail address.", allow_dash=True)
    ] = None,
    claims: Annotated[
        Path | None,
        typer.Option(
            help="A file with a JSON object: email, name, phone, customer_id, device_id, assertion ...",
            allow_dash=True,
        ),
    ] = None,
    appeals: Annotated[
        Path | None,
        typer.Option(
            help="With --right appeal: the receipt of the request whose answer is appealed against."
        ),
    ] = None,
    again: Annotated[
        Path | None, typer.Option(help="The receipt of an answered request that this one follows from.")
    ] = None,
    confirmed: Annotated[
        bool,
        typer.Option(
            "--confirmed",
            help="With --right opt_in: the person was asked a second time and has confirmed it.",
        ),
    ] = False,
    key: Annotated[
        str | None,
        typer.Option("--idempotency-key", help="Sent again with the same key it is the same request."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the receipt with its secret here, mode 0600.")
    ] = None,
    url: Url = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Make a request; its receipt holds the secret that opens its status and its answer."""
    from deploy.cli.request_files import earlier, read_claims, save_receipt
    from deploy.cli.request_views import show_receipt
    from deploy.cli.requests_over_http import Intake

    said = {"right": right, "residency": residency, "business": business, "channel": channel}
    said["language"] = language
    body = {**read_claims(claims, email_file), **{name: text for name, text in said.items() if text}}
    body |= {"confirmed": True} if confirmed else {}
    named, first = earlier(appeals=appeals, again=again)
    receipt = Intake.at(url, home).submit({**body, **named}, key, first)
    if save is not None:
        save_receipt(save, receipt)
    show_receipt(receipt, saved=save, as_json=as_json)


@app.command(epilog="Example: habeas request show --saved receipt.json --json")
def show(saved: Saved, url: Url = None, home: Home = DEFAULT_HOME, *, as_json: AsJson = False) -> None:
    """Tell where a request stands."""
    from deploy.cli.request_files import read_receipt
    from deploy.cli.request_views import show_status
    from deploy.cli.requests_over_http import Intake

    receipt = read_receipt(saved)
    show_status(Intake.at(url, home).status(receipt), as_json=as_json)


@app.command(
    epilog="Examples:\n\n"
    "habeas request prove --saved receipt.json          (asks for the code)\n\n"
    "habeas request prove --saved receipt.json --code-file - < code.txt"
)
def prove(
    saved: Saved,
    code_file: Annotated[
        Path | None,
        typer.Option(help="A file with the code; without it you are asked for it.", allow_dash=True),
    ] = None,
    url: Url = None,
    home: Home = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Show that it is you, with the code that came by mail."""
    from deploy.cli.request_files import read_code, read_receipt
    from deploy.cli.request_views import show_status
    from deploy.cli.requests_over_http import Intake

    receipt = read_receipt(saved)
    status = Intake.at(url, home).prove(receipt, read_code(code_file))
    show_status(status, as_json=as_json)
    if not as_json and not status.get("verification"):
        typer.echo(f"The code was handed in. Whether it is right shows: habeas request show --saved {saved}")


@app.command(
    epilog="Examples:\n\n"
    "habeas request collect --saved receipt.json --to answer.zip          (mails a code and asks for it)\n\n"
    "habeas request collect --saved receipt.json --to answer.zip --code-file code.txt --password-file pass.txt"
)
def collect(  # noqa: PLR0913 - one option for each thing that can be said
    saved: Saved,
    to: Annotated[Path, typer.Option(help="Write the answer here, mode 0600.")],
    *,
    code_file: Annotated[
        Path | None,
        typer.Option(
            help="A file with the code; without it one is mailed, and you are asked.", allow_dash=True
        ),
    ] = None,
    assertion_file: Annotated[
        Path | None, typer.Option(help="A file with a JWT of the account, in place of a code.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(help="A file with a password, of 12 characters or more, to protect the archive with."),
    ] = None,
    url: Url = None,
    home: Home = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Fetch the answer to a request to know, once you have confirmed again that it is you."""
    from deploy.cli.request_files import read_receipt, read_secret, save_package
    from deploy.cli.request_views import show_saved
    from deploy.cli.requests_over_http import Intake

    intake, receipt = Intake.at(url, home), read_receipt(saved)
    proof = intake.confirmation(receipt, code_file, assertion_file)
    password = read_secret(password_file, "--password-file") if password_file else None
    size = save_package(to, intake.package(intake.link(receipt, proof), password))
    show_saved(f"The answer is in {to} ({size:,} bytes).", to, as_json=as_json)


@app.command(epilog="Example: habeas request letter --saved receipt.json --to letter.pdf")
def letter(
    saved: Saved,
    to: Annotated[Path, typer.Option(help="Write the letter here, mode 0600.")],
    url: Url = None,
    home: Home = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """Fetch what you were answered as a letter on paper: a PDF that a screen reader can read."""
    from deploy.cli.request_files import read_receipt, save_package
    from deploy.cli.request_views import show_saved
    from deploy.cli.requests_over_http import Intake

    save_package(to, Intake.at(url, home).letter(read_receipt(saved)))
    show_saved(f"The letter is in {to}.", to, as_json=as_json)


@app.command(epilog="Example: habeas request withdraw --saved receipt.json")
def withdraw(saved: Saved, url: Url = None, home: Home = DEFAULT_HOME, *, as_json: AsJson = False) -> None:
    """Take a request back; what was done before cannot be undone."""
    from deploy.cli.request_files import read_receipt
    from deploy.cli.request_views import show_status
    from deploy.cli.requests_over_http import Intake

    receipt = read_receipt(saved)
    show_status(Intake.at(url, home).withdraw(receipt), as_json=as_json)


@app.command("list", epilog="Example: habeas request list --limit 20 --json")
def list_requests(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    home: Home = DEFAULT_HOME,
    *,
    as_json: AsJson = False,
) -> None:
    """List the requests received last; for staff: it reads intake's database, and shows no identity."""
    import asyncio

    from deploy.cli.request_list import latest
    from deploy.cli.request_views import show_list

    show_list(asyncio.run(latest(home, limit)), as_json=as_json)


@app.command("whom", epilog="Example: habeas request whom 6f9c… --to whom.json")
def whom(
    request: Annotated[UUID, typer.Argument(help="The request's id.")],
    to: Annotated[Path, typer.Option(help="Write it here, for your eyes alone; - prints it.")],
    home: Home = DEFAULT_HOME,
    *,
    claimed: Annotated[
        bool, typer.Option(help="Also what was only claimed: for an opt-out, which nobody has to prove.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say whom a request is about, to the person who does its task by hand; needs fulfillment's keys."""
    import asyncio

    from deploy.cli.request_subject import shown_subjects, subjects_of
    from deploy.cli.request_views import show_saved
    from shared.private_files import write_private
    from shared.settings import Settings

    lines = asyncio.run(subjects_of(Settings(home=home), request, proved=not claimed))
    if str(to) == "-":
        typer.echo(shown_subjects(lines, as_json=as_json))
        return
    write_private(to, f"{lines}\n".encode())
    show_saved(f"{to}: remove it when the task is done.", to, as_json=as_json)
