"""`habeas suppression`: ask whether people must stay deleted, are opted out or limited; release them again.

Identifiers come by file or standard input only, one a line; answers name the line and never repeat it.
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from uuid import UUID

import typer

from deploy.cli.decisions import ME, Actor, send

if TYPE_CHECKING:
    from shared.privacy import HmacKeyring

app = typer.Typer(help="Who must stay deleted, is opted out or limited.", no_args_is_help=True)

STDIN = Path("-")
AT_ONCE = 10_000
SECONDS = 30.0
KIND = r"[a-z][a-z0-9_.-]*"
EXAMPLE = "an identifier a line, such as: ada@example.com, +1 202 555 0123, or customer_id C-1042"

Source = Annotated[
    Path, typer.Argument(help=f"The file with {EXAMPLE}; - reads standard input.", allow_dash=True)
]
Business = Annotated[str, typer.Option(help="The business whose people are meant.")]
Home = Annotated[Path, typer.Option(envvar="HABEAS_HOME", help="Where this installation's keys lie.")]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="HABEAS_FULFILLMENT_URL",
        help="Where the fulfillment service answers.",
        show_default="the one that runs here",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DEFAULT_HOME = Path(".habeas")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: where it stands, and the hashes that it may be suppressed under, the newest first."""

    number: int
    hashes: tuple[str, ...] = field(repr=False)


@app.command("hash", epilog="Example: habeas suppression hash --business cascadia people.txt")
def hash_(source: Source, business: Business, home: Home = DEFAULT_HOME, *, as_json: AsJson = False) -> None:
    """Make the keyed hashes under which people are suppressed, as `POST /suppression/check` takes them.

    Under every version of the key: who was suppressed before a rotation stays under the older one.
    """
    lines = _lines(source, business, home)
    if as_json:
        typer.echo(json.dumps({"lines": [{"line": one.number, "hashes": one.hashes} for one in lines]}))
    else:
        typer.echo("\n".join(hashed for one in lines for hashed in one.hashes))


@app.command(epilog="Example: habeas suppression check --business cascadia people.txt")
def check(
    source: Source,
    business: Business,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say which lines name somebody who is suppressed: exit 0 if none does, 1 if one does, 2 if that cannot be told."""
    lines = _lines(source, business, home)
    found = _asked([hashed for one in lines for hashed in one.hashes], url or service_address(home))
    said = {
        one.number: sorted({right for hashed in one.hashes for right in found.get(hashed, ())})
        for one in lines
    }
    suppressed = {number: rights for number, rights in said.items() if rights}
    if as_json:
        rows = [{"line": number, "rights": rights} for number, rights in suppressed.items()]
        typer.echo(json.dumps({"checked": len(lines), "suppressed": rows}))
    else:
        for number, rights in suppressed.items():
            typer.echo(f"line {number}: {', '.join(rights)}")
        typer.echo(f"{len(suppressed)} of {len(lines)} suppressed")
    raise typer.Exit(1 if suppressed else 0)


@app.command(epilog='Example: habeas suppression lift 6f9c… --reason "a customer again since May 4"')
def lift(
    request: Annotated[UUID, typer.Argument(help="The request that had the person suppressed.")],
    reason: Annotated[str, typer.Option(help="Why; no personal data.")],
    actor: Actor = ME,
    *,
    as_json: AsJson = False,
) -> None:
    """Release whom a request had suppressed, unless another request asks for it too; signed with the CLI's key."""
    from shared.events.commands import LiftSuppression

    send(request, LiftSuppression(actor=actor, reason=reason), as_json=as_json)


def _lines(source: Path, business: str, home: Path) -> list[Line]:
    from shared.keyfiles import KeyFiles

    keyring = KeyFiles(home / "keys").lookup()
    return list(_read(source, business, keyring)) or _refuse(f"there is nothing in it; give {EXAMPLE}")


def identifiers(source: Path) -> Iterator[tuple[int, str, str]]:
    """Number, kind and value of each line that is not empty."""
    try:
        text = sys.stdin.read() if source == STDIN else source.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        _refuse("the file cannot be read as text")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield (number, *_kind(line.strip()))


def _read(source: Path, business: str, keyring: "HmacKeyring") -> Iterator[Line]:
    from shared.privacy.suppression import suppression_hashes

    for number, kind, value in identifiers(source):
        hashes = suppression_hashes(keyring, business, kind, value)
        if not hashes:
            _refuse(f"line {number} is no {kind}; give {EXAMPLE}")
        yield Line(number, hashes)


def _kind(line: str) -> tuple[str, str]:
    """A kind may stand in front; without one an address is an e-mail address and anything else a telephone number."""
    named, _, value = line.partition(" ")
    if value and re.fullmatch(KIND, named):
        return named, value
    return ("email", line) if "@" in line else ("phone", line)


def _asked(hashes: Sequence[str], address: str) -> dict[str, list[str]]:
    import httpx2

    found: dict[str, list[str]] = {}
    try:
        with httpx2.Client(base_url=address, timeout=SECONDS) as client:
            for start in range(0, len(hashes), AT_ONCE):
                part = {"hashes": list(hashes[start : start + AT_ONCE])}
                answer = client.post("/suppression/check", json=part)
                found |= answer.raise_for_status().json()["suppressed"]
    except (httpx2.HTTPError, httpx2.InvalidURL):
        _refuse(f"the fulfillment service does not answer at {address}; name it with --url")
    return found


def service_address(home: Path) -> str:
    """Where the fulfillment service of this installation answers."""
    try:
        return (home / "run" / "fulfillment.url").read_text("utf-8").strip()
    except OSError:
        _refuse(
            "no fulfillment service runs here; start it with: habeas serve fulfillment, or name it with --url"
        )


def _refuse(sentence: str) -> NoReturn:
    typer.echo(f"habeas: {sentence}", err=True)
    raise typer.Exit(2)
