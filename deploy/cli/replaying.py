"""`habeas dead-letters replay --all`: many letters after one remedy, each by itself."""

import asyncio
import json
import sys

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from deploy import dead_letters
from deploy.settings import local_settings
from shared.hosting import clock_of

MOST_NAMED = 20


def replay_many(choice: dead_letters.Choice, *, actor: str, database: str | None, as_json: bool) -> int:
    """Replay the letters chosen, showing how far it is; the exit code is 1 if any could not be."""
    tried = asyncio.run(_replay(choice, actor=actor, database=database))
    failed = [(one, why) for one, why in tried if why]
    if as_json:
        told = [{"letter": str(one.id), "why": why} for one, why in failed]
        typer.echo(json.dumps({"replayed": len(tried) - len(failed), "failed": told, "actor": actor}))
    else:
        typer.echo(f"{len(tried) - len(failed)} replayed, {len(failed)} could not be")
        for _, why in failed[:MOST_NAMED]:
            typer.echo(why, err=True)
        if len(failed) > MOST_NAMED:
            typer.echo(f"and {len(failed) - MOST_NAMED} more; --json names all", err=True)
    return 1 if failed else 0


async def _replay(
    choice: dead_letters.Choice, *, actor: str, database: str | None
) -> list[tuple[dead_letters.Letter, str]]:
    settings, tried = local_settings(), []
    async with dead_letters.database(settings, database) as connection:
        these = await choice.of(connection)
        with _progress() as progress:
            shown = progress.add_task("replaying", total=len(these))
            async for one in dead_letters.replay_all(
                settings, connection, these, actor=actor, clock=clock_of(settings)
            ):
                tried.append(one)
                progress.advance(shown)
    return tried


def _progress() -> Progress:
    """On the error stream, and only where somebody looks: what is printed may be read by a program."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(file=sys.stderr), disable=not sys.stderr.isatty())
