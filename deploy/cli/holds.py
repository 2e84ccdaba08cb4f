"""`habeas holds`: duties to keep what is held on a person, in a system or of a category, whoever asks for deletion.

Who is meant comes by file or standard input only; what is sent names them by keyed hashes.
"""

import json
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import UUID, uuid4

import typer

from deploy.cli.decisions import HINTS, ME, Actor
from deploy.cli.moments import moment
from deploy.cli.suppression import DEFAULT_HOME, EXAMPLE, AsJson, Home, Url, identifiers, service_address

if TYPE_CHECKING:
    from shared.events.commands import PlaceStandingHold
    from shared.events.message import Command

app = typer.Typer(
    help="Keep what must be kept: on a person, in a system, of a category. For one request: habeas decide hold.",
    no_args_is_help=True,
)
SECONDS = 30.0

Evidence = Annotated[str | None, typer.Option(help="Where it is proved: a ticket's or a case's number.")]
Person = Annotated[
    Path | None,
    typer.Option(
        help=f"A file with all that ONE person is known by: {EXAMPLE}; - reads standard input.",
        allow_dash=True,
    ),
]
OverHttp = Annotated[bool, typer.Option("--http", help="Send it over HTTP instead of Kafka.")]


@app.command(
    epilog="Examples:\n\n"
    'habeas holds place --business cascadia --person people.txt --reason "litigation 24-118"\n\n'
    'habeas holds place --business cascadia --system cascadia-dms --reason "audit by the DMV" --evidence LEGAL-9\n\n'
    'habeas holds place --business cascadia --category commercial --reason "tax audit of 2025"'
)
def place(  # noqa: PLR0913 - one option for each thing that is stated
    business: Annotated[str, typer.Option(help="The business whose data is kept.")],
    reason: Annotated[str, typer.Option(help="The duty to keep, such as a case number; no personal data.")],
    *,
    person: Person = None,
    system: Annotated[
        str | None, typer.Option(help="The system or vendor in which nothing is destroyed.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(help="The statutory category, as `habeas systems coverage` names it.")
    ] = None,
    evidence: Evidence = None,
    actor: Actor = ME,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    over_http: OverHttp = False,
    as_json: AsJson = False,
) -> None:
    """Keep what is held on a person, in a system or of a category; deletions and corrections of it wait.

    Everything else goes on. Give all that a person is known by, the e-mail address above all.
    """
    what = _covered(person, system, category, business, home)
    body = _stated({**what, "business": business, "actor": actor, "reason": reason, "evidence": evidence})
    _send(uuid4(), body, url, home, over_http=over_http, as_json=as_json)


@app.command(epilog='Example: habeas holds release 0b1d… --reason "settled on May 4" --evidence LEGAL-9')
def release(  # noqa: PLR0913 - one option for each thing that is stated
    hold: Annotated[UUID, typer.Argument(help="The hold's id, as `place` and `list` print it.")],
    reason: Annotated[str, typer.Option(help="Why the duty is over; no personal data.")],
    *,
    evidence: Evidence = None,
    actor: Actor = ME,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    over_http: OverHttp = False,
    as_json: AsJson = False,
) -> None:
    """Release a hold; what waited for it goes on at once."""
    from shared.events.commands import ReleaseStandingHold

    body = ReleaseStandingHold(actor=actor, reason=reason, evidence=evidence)
    _send(hold, body, url, home, over_http=over_http, as_json=as_json)


@app.command("list", epilog="Example: habeas holds list --released --json")
def list_(
    home: Home = DEFAULT_HOME,
    url: Url = None,
    *,
    released: Annotated[bool, typer.Option("--released", help="Also those that are over.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the holds in force: on what, since when, by whom and why. Whom one is on cannot be read back."""
    holds = _asked("GET", url or service_address(home), f"/holds?released={str(released).lower()}")["holds"]
    if as_json:
        typer.echo(json.dumps({"holds": holds}))
        return
    for one in holds:
        what = f"{one['scope']} {one['name'] or ''}".strip()
        over = (
            f", released {moment(one['released_at'])} by {one['released_by']}" if one["released_at"] else ""
        )
        proof = f" ({one['evidence']})" if one["evidence"] else ""
        typer.echo(
            f"{one['hold_id']}  {one['business']}  {what}  since {moment(one['placed_at'])} by {one['actor']}{over}"
        )
        typer.echo(f"  {one['reason']}{proof}")
    if not holds:
        typer.echo("no hold stands")


def _covered(
    person: Path | None, system: str | None, category: str | None, business: str, home: Path
) -> dict[str, Any]:
    given = {"person": person, "system": system, "category": category}
    chosen = [scope for scope, value in given.items() if value is not None]
    if len(chosen) != 1:
        _refuse("say what is kept: one of --person, --system and --category")
    named = {"name": system or category} if person is None else {"hashes": _hashes(person, business, home)}
    return {"scope": chosen[0], **named}


def _stated(said: dict[str, Any]) -> "PlaceStandingHold":
    from pydantic import ValidationError

    from shared.events.commands import PlaceStandingHold

    try:
        return PlaceStandingHold(**said)
    except ValidationError as error:
        _refuse("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()))


def _hashes(source: Path, business: str, home: Path) -> tuple[str, ...]:
    from shared.keyfiles import KeyFiles
    from shared.privacy.holds import hold_hashes

    keyring = KeyFiles(home / "keys").lookup()
    found = list[str]()
    for number, kind, value in identifiers(source):
        hashes = hold_hashes(keyring, business, kind, value)
        found += hashes or _refuse(f"line {number} is no {kind}; give {EXAMPLE}")
    return tuple(dict.fromkeys(found)) or _refuse(f"there is nothing in it; give {EXAMPLE}")


def _send(  # noqa: PLR0913 - where to, how, and in which words
    hold: UUID, body: "Command", url: str | None, home: Path, *, over_http: bool, as_json: bool
) -> None:
    if not over_http:
        from deploy.cli.decisions import send

        send(hold, body, as_json=as_json, named=hold)
        return
    from deploy.commands import sign
    from deploy.settings import local_settings
    from shared.keyfiles import KeyFiles

    signed = sign(local_settings(), KeyFiles(home / "keys").cli(), hold, body)
    headers = {name.replace("ce_", "ce-", 1): value.decode() for name, value in signed.headers}
    said = _asked("POST", url or service_address(home), "/holds", headers=headers, content=signed.record[1])
    typer.echo(json.dumps(said) if as_json else f"accepted\nhold id: {hold}")


def _asked(method: str, address: str, path: str, **more: Any) -> Any:
    import httpx2

    try:
        with httpx2.Client(base_url=address, timeout=SECONDS) as client:
            answer = client.request(method, path, **more)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        _refuse(f"the fulfillment service does not answer at {address}; name it with --url")
    if answer.status_code == HTTPStatus.OK:
        return answer.json()
    problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    word = str(problem.get("type", f"HTTP {answer.status_code}")).rpartition(":")[2]
    typer.echo(f"refused: {word}", err=True)
    if word in HINTS:
        typer.echo(HINTS[word], err=True)
    raise typer.Exit(1)


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"habeas: {sentence}", err=True)
    raise typer.Exit(2)
