"""`habeas suppression`: ask whether people must stay deleted, are opted out or limited; release them again.

Identifiers come by file or standard input only, one a line; answers name the line and never repeat it.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import UUID
from zoneinfo import ZoneInfo

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


@dataclass(frozen=True, slots=True)
class Held:
    """What holds of whom one line names."""

    number: int
    rights: tuple[str, ...]
    ask_again_from: date | None

    def facts(self) -> dict[str, object]:
        waits = {"ask_again_from": str(self.ask_again_from)} if self.ask_again_from else {}
        return {"line": self.number, "rights": list(self.rights), **waits}


@dataclass(frozen=True, slots=True)
class Answered:
    """The service's answers, by hash."""

    rights: dict[str, list[str]] = field(default_factory=dict)
    days: dict[str, str] = field(default_factory=dict)

    def add(self, answer: Mapping[str, Any]) -> None:
        self.rights.update(answer["suppressed"])
        self.days.update(answer.get("ask_again_from", {}))

    def of(self, line: Line) -> Held:
        rights = {right for hashed in line.hashes for right in self.rights.get(hashed, ())}
        days = [self.days[hashed] for hashed in line.hashes if hashed in self.days]
        return Held(line.number, tuple(sorted(rights)), date.fromisoformat(max(days)) if days else None)


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


@app.command(
    epilog="Examples:\n\nhabeas suppression check --business cascadia people.txt\n\n"
    "habeas suppression check --business cascadia --asking to-be-asked-to-opt-in.txt"
)
def check(  # noqa: PLR0913 - one option for each thing that can be said
    source: Source,
    business: Business,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    *,
    asking: Annotated[
        bool,
        typer.Option(
            "--asking",
            help="Before people are asked to opt in (again): name only those whom nobody may ask today "
            "(Civ. Code 1798.135(c)(4)).",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say which lines name somebody who is suppressed: exit 0 if none does, 1 if one does, 2 if that cannot be told.

    After an opt-out or a limit a line also names the day from which the person may be asked to opt in again.
    """
    lines = _lines(source, business, home)
    answered = _asked([hashed for one in lines for hashed in one.hashes], url or service_address(home))
    found = [held for one in lines if (held := answered.of(one)).rights]
    if asking:
        today = _today()
        found = [one for one in found if one.ask_again_from is not None and one.ask_again_from > today]
    _show(found, len(lines), asking=asking, as_json=as_json)
    raise typer.Exit(1 if found else 0)


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


def _show(found: Sequence[Held], checked: int, *, asking: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"checked": checked, "suppressed": [one.facts() for one in found]}))
        return
    for one in found:
        waits = f" (not to be asked to opt in before {one.ask_again_from})" if one.ask_again_from else ""
        typer.echo(f"line {one.number}: {', '.join(one.rights)}{waits}")
    typer.echo(f"{len(found)} of {checked} {'may not be asked today' if asking else 'suppressed'}")


def _today() -> date:
    """The day that has begun wherever a law of ours counts its days: California is the last of them."""
    from deploy.settings import local_settings
    from shared.hosting import clock_of
    from shared.policy.dates import local_date

    return local_date(clock_of(local_settings()).now(), ZoneInfo("America/Los_Angeles"))


def _asked(hashes: Sequence[str], address: str) -> Answered:
    import httpx2

    found = Answered()
    try:
        with httpx2.Client(base_url=address, timeout=SECONDS) as client:
            for start in range(0, len(hashes), AT_ONCE):
                part = {"hashes": list(hashes[start : start + AT_ONCE])}
                found.add(client.post("/suppression/check", json=part).raise_for_status().json())
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
