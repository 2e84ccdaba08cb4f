"""`habeas systems coverage`: what the maps cover, by which identifiers, and what a person still has to say in them."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.fulfillment.datamap.coverage import Coverage
    from services.fulfillment.datamap.systems import System

EPILOG = "Examples: habeas systems coverage; habeas systems coverage cascadia-crm --json"


def coverage(
    name: Annotated[
        str | None, typer.Argument(help="One system; all of them if none is named.", show_default=False)
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell which identifiers reach which system, what rights it serves by itself, and what its map leaves open.

    A file that is wrong keeps no other system from being told; exit code 3 then, unless another one was named.
    """
    from deploy.cli.described_systems import described
    from services.fulfillment.datamap.coverage import coverage as of

    with described(name) as systems:
        found = [(each, of(each.datamap), _rights(each)) for each in systems.chosen]
        if as_json:
            typer.echo(json.dumps([_json(*each) for each in found]))
        else:
            typer.echo("\n".join(line for each in found for line in _lines(*each)))


def _rights(system: "System") -> list[str]:
    from services.fulfillment.connecting import entry_of

    return sorted(right.value for right in entry_of(system).rights)


def _json(system: "System", covered: "Coverage", rights: list[str]) -> dict[str, Any]:
    named = {"system": system.system, "kind": system.kind, "business": system.business, "party": system.party}
    return {**named, "rights": rights, "whole": covered.whole, **asdict(covered)}


def _lines(system: "System", covered: "Coverage", rights: list[str]) -> Iterator[str]:
    yield f"{system.system} ({system.kind}, {system.business}, {system.party})"
    yield f"  reached by    {', '.join(covered.identities) or 'nothing: nobody is ever found here'}"
    yield f"  by itself     {', '.join(rights) or 'nothing: a person serves every right'}"
    yield f"  holds         {', '.join(covered.categories) or 'no statutory category'}"
    yield f"  columns       {covered.columns}, of which {covered.personal} are personal"
    if covered.corrected:
        yield f"  corrected     {', '.join(covered.corrected)}, at the person's word"
    yield from (
        f"  not reached   {each}: personal, and no identifier leads there" for each in covered.unreached
    )
    yield from (f"  no cut-off    {each}: name created_at, if it has one" for each in covered.undated)
    yield from (f"  not said      {each}" for each in covered.undescribed)
