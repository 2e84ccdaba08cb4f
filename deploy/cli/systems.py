"""`habeas systems`: whether the connected systems can be used, and what would be found and deleted in them."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.described_systems import UNUSABLE, chosen_of, described, refuse, tell_what_is_wrong
from deploy.cli.system_reports import report_json, report_lines

if TYPE_CHECKING:
    from services.fulfillment.connected import Connected
    from services.fulfillment.datamap.systems import System
    from services.fulfillment.ports import CheckReport

app = typer.Typer(help="The systems that hold people's data, and their maps.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Only = Annotated[str | None, typer.Argument(help="One system; all of them if none is named.")]
By = Annotated[list[str] | None, typer.Option(help="Kinds of identifiers known; repeat it.")]
Identity = Annotated[
    Path | None,
    typer.Option(
        help="A file with what a person is known by, an identifier a line; - reads standard input. Only the kinds are"
        " told, no value is shown.",
        allow_dash=True,
    ),
]
Statements = Annotated[
    bool,
    typer.Option(
        "--statements", help="Also the statements or requests that it would be asked, with names for values."
    ),
]
AsPicture = Annotated[
    bool,
    typer.Option(
        "--picture",
        help="Draw the walk instead, as Mermaid text: one drawing, whatever the number of systems.",
    ),
]
ALARM = 4


@app.command("check")
def check(name: Only = None, *, as_json: Json = False) -> None:
    """Reach every system, try the credentials, and compare its tables with its map.

    A file that is wrong keeps no other system from being checked; all that is wrong is said after them.

    Exit code 3 if one is unusable; 4 if all can be used and something looks personal that no map knows: an alarm.

    Example: habeas systems check cascadia-crm
    """
    with _shown_while_silent(show=not as_json) as show:
        systems, problems = _usable(name)
        reports = asyncio.run(_check(systems, show))
    if as_json:
        typer.echo(json.dumps([report_json(each, report) for each, report in reports]))
    else:
        for each, report in reports:
            typer.echo("\n".join(report_lines(each, report)))
    tell_what_is_wrong(name, problems)
    if not all(report.ok for _, report in reports):
        raise typer.Exit(UNUSABLE)
    if any(report.drift for _, report in reports):
        raise typer.Exit(ALARM)


@app.command("plan")
def plan(  # noqa: PLR0913 - one option for each thing that can be told
    name: Only = None,
    *,
    by: By = None,
    identity: Identity = None,
    statements: Statements = False,
    as_picture: AsPicture = False,
    as_json: Json = False,
) -> None:
    """Tell how a person's rows are found and what a deletion does with them; nothing is connected or run.

    A file that is wrong keeps no other system from being told; exit code 3 then, unless another one was named.

    Examples: habeas systems plan cascadia-crm --by email --by customer_id; habeas systems plan cascadia-crm --picture;
    habeas systems plan cascadia-crm --identity - --statements < person.txt
    """
    from services.fulfillment.datamap.picture import pictures

    with described(name) as systems:
        kinds = _known(systems.every, by or (), identity) or {"email"}
        if as_picture and len(systems.chosen) > 1 and not as_json:
            typer.echo(pictures({each.system: each.datamap for each in systems.chosen}, kinds))
            return
        told = {
            each.system: _shown_of(each, kinds, as_picture=as_picture, statements=statements)
            for each in systems.chosen
        }
        typer.echo(json.dumps(told) if as_json else "\n".join(told.values()))


def _shown_of(system: "System", kinds: set[str], *, as_picture: bool, statements: bool) -> str:
    from services.fulfillment.datamap.explain import explain
    from services.fulfillment.datamap.picture import picture

    if as_picture:
        return picture(system.datamap, kinds)
    return explain(system.datamap, kinds) + _asked(system, kinds if statements else set())


def _known(systems: "Sequence[System]", by: Sequence[str], identity: Path | None) -> set[str]:
    """The kinds of identifiers that are given; one that no map knows is a slip, and may be a piece of a name."""
    from deploy.cli.suppression import identifiers

    lines = list(identifiers(identity)) if identity else []
    if identity and not lines:
        refuse("identity: no line holds an identifier")
    known = {"email", "phone", *(kind for each in systems for kind, _ in each.datamap.identities())}
    for number, kind, _ in lines:
        if kind not in known:
            refuse(
                f"identity: line {number}: no map looks for such a kind; known: {', '.join(sorted(known))}"
            )
    for kind in by:
        if kind not in known:
            refuse(f"by: no map looks for {kind!r}; known: {', '.join(sorted(known))}")
    return {*by, *(kind for _, kind, _ in lines)}


def _asked(system: "System", kinds: set[str]) -> str:
    """What a kind has to tell beside its map: what it would be asked."""
    if kinds and (statements := _statements(system, kinds)):
        return "\n" + statements
    if system.kind == "objects":
        from services.fulfillment.adapters.objects.places import files_of

        return "\n" + files_of(system)
    if system.kind == "redis":
        from services.fulfillment.adapters.redis.opening import keys_of

        return "\n" + keys_of(system)
    if system.kind == "manual":
        return f"\nA person does all of this: {system.settings.get('instructions', '?')}\n"
    if system.kind != "http":
        return _told(system)
    from services.fulfillment.adapters.http.telling import requests_of

    return "\n" + requests_of(system)


def _statements(system: "System", kinds: set[str]) -> str:
    """What the system would be asked word for word, from the module `telling` of its kind; nothing if it has none."""
    name = f"services.fulfillment.adapters.{system.kind}.telling"
    if find_spec(name) is None:
        return ""
    tell: Callable[[System, set[str]], str] | None = getattr(import_module(name), "statements_of", None)
    return tell(system, kinds) if tell is not None else ""


def _told(system: "System") -> str:
    from services.fulfillment.told.subjects import TOLD, rights_told

    if system.kind not in TOLD:
        return ""
    rights = ", ".join(sorted(rights_told(system)))
    return f"\nNothing is searched there: the system is told ({rights}) whom it concerns, and does it by itself\n"


def _usable(name: str | None) -> "tuple[tuple[Connected, ...], tuple[str, ...]]":
    """What is to be checked, and what is wrong in the files of the folder; a system that was named must be usable."""
    from services.fulfillment.connecting import connectable
    from services.fulfillment.settings import FulfillmentSettings
    from shared.clock import SystemClock
    from shared.settings import Settings

    found, problems = connectable(FulfillmentSettings().systems, Settings().home, SystemClock())
    return chosen_of({each.entry.name: each for each in found}, name, problems), problems


@contextmanager
def _shown_while_silent(*, show: bool) -> Iterator[Callable[[str], None]]:
    """One line in a terminal, written over again and taken away at the end; nothing for programs."""

    def say(text: str) -> None:
        if show and sys.stderr.isatty():
            typer.echo(f"\r\x1b[K{text}", nl=False, err=True)

    say("Reading the systems' files and maps")
    try:
        yield say
    finally:
        say("")


async def _check(
    systems: "tuple[Connected, ...]", show: Callable[[str], None]
) -> "list[tuple[Connected, CheckReport]]":
    waiting = {each.entry.name for each in systems}

    async def asked(system: "Connected") -> "CheckReport":
        report = await _checked(system)
        waiting.discard(system.entry.name)
        show(f"Waiting for {', '.join(sorted(waiting))}" if waiting else "")
        return report

    show(f"Waiting for {', '.join(sorted(waiting))}")
    reports = await asyncio.gather(*map(asked, systems))
    for each in systems:
        await each.adapter.close()
    return list(zip(systems, reports, strict=True))


async def _checked(system: "Connected") -> "CheckReport":
    """What it says of itself; one adapter's bug keeps no other from being heard, and its words may quote a secret."""
    from services.fulfillment.ports import CheckReport

    try:
        return await system.adapter.check()
    except Exception as error:  # noqa: BLE001 - told by its kind alone, as unusable
        why = f"the check failed by itself ({type(error).__name__})"
        note = f"{why}: a bug of Habeas, or an address that it cannot read"
        return CheckReport(reachable=False, credentials=False, notes=(note,))
