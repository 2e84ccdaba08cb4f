"""`habeas restore replay`: after a system's backup came back, its deletions are applied again."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.decisions import ME, Actor

if TYPE_CHECKING:
    from services.fulfillment.datamap.systems import System
    from services.fulfillment.ports import Adapter
    from services.fulfillment.replaying import Replay, Replayed
    from shared.hosting import Resources
    from shared.settings import Settings

app = typer.Typer(help="What must be done after a backup came back.", no_args_is_help=True)


@app.command(epilog="Example: habeas restore replay cascadia-crm --actor jdoe")
def replay(
    system: Annotated[str, typer.Argument(help="The system whose backup came back.")],
    actor: Actor = ME,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Delete again, in one restored system, everybody who was deleted there; each stated and signed as a finding.

    Everybody in the system is looked up by keyed hash, so that it works also when a request's key is long gone; rows
    from after a deletion stay. Exit 1 if something is left for a person, 3 if the system cannot be replayed, or not
    to its end: type it again then, for what is done already is done once.
    """
    from deploy.cli.described_systems import UNUSABLE, described
    from deploy.settings import local_settings

    with described(system) as systems:
        done, stopped = asyncio.run(_replay(local_settings(), systems.chosen[0], actor))
    if done or not stopped:
        _tell(system, done, as_json=as_json)
    if stopped:
        typer.echo(f"{system} {stopped}", err=True)
        raise typer.Exit(UNUSABLE)
    raise typer.Exit(1 if any(one.problem for one in done) else 0)


async def _replay(settings: "Settings", system: "System", actor: str) -> "tuple[list[Replayed], str]":
    """What was done, each stated before the next is looked for, and why there is no more."""
    from contextlib import AsyncExitStack

    from services.fulfillment.connecting import adapter_of
    from services.fulfillment.ports import CannotListError
    from services.fulfillment.replaying import AT_ONCE, ListsPeople, Replayed
    from shared.clock import SystemClock
    from shared.hosting import open_resources

    adapter = adapter_of(system, SystemClock())
    if not isinstance(adapter, ListsPeople):
        return [], "is not replayable: its people cannot be listed. Delete again by hand."
    done: list[Replayed] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(adapter.close)
        resources = await open_resources(settings, "fulfillment", stack)
        again = _again(system, adapter, resources)
        try:
            async for one in again.run(adapter.identities(at_once=AT_ONCE)):
                done.append(one)
                await _state(settings, system.system, one, actor)
        except CannotListError as error:
            return done, f"was not read to its end ({error}): mend that, and replay again."
    return done, ""


async def _state(settings: "Settings", system: str, one: "Replayed", actor: str) -> None:
    """What went again is a finding of the request that it belongs to."""
    from deploy.commands import decide
    from shared.events.commands import RecordReplay

    if one.receipt is not None:
        digest = one.receipt.digest
        body = RecordReplay(system=system, rows=one.rows, receipt_digest=digest, actor=actor)
        await decide(settings, one.request_id, body)


def _again(system: "System", adapter: "Adapter", resources: "Resources") -> "Replay":
    from services.fulfillment.holding import HoldRegister
    from services.fulfillment.replaying import Replay, Restored
    from services.fulfillment.suppression import SuppressionRegister

    return Replay(
        Restored(system.system, system.business, adapter, system.datamap),
        SuppressionRegister(resources.pool),
        resources.keys.lookup(),
        HoldRegister(resources.pool),
    )


def _tell(system: str, done: "list[Replayed]", *, as_json: bool) -> None:
    problems = [one for one in done if one.problem]
    if as_json:
        left = [{"request_id": str(one.request_id), "reason": one.problem} for one in problems]
        typer.echo(
            json.dumps(
                {"system": system, "people": len(done), "rows": sum(o.rows for o in done), "left": left}
            )
        )
        return
    typer.echo(
        f"{system}: {len(done)} deleted people were there again, {sum(one.rows for one in done)} rows went"
    )
    for one in problems:
        typer.echo(f"{one.request_id}: {one.problem}")
