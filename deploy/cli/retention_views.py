"""How retention plans are made and carried out from the command line, and what is said of it."""

import asyncio
import json
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from deploy.cli.moments import moment
from deploy.dead_letters import database
from deploy.retention.orders import Ended, Order, carry_out
from deploy.retention.plan import (
    AT_ONCE,
    Held,
    Summary,
    digest_of,
    due_in,
    heading,
    holds,
    planned,
    states_now,
)
from deploy.settings import local_settings
from shared.hosting import clock_of

HEADINGS = ("regime", "resolution", "due", "held", "needed longer", "being destroyed", "destroyed")
STATES = ("due", "held", "later", "being_destroyed", "destroyed")


def make_plan(through: str | None, save: Path | None, database_url: str | None, *, as_json: bool) -> None:
    """Say what a plan holds, and write it where somebody wants it."""
    until = _until(through)
    summary = asyncio.run(_plan(until, save, database_url))
    if as_json:
        told = {"through": until.isoformat(), "plan": str(save) if save else None, "keys": summary.to_json()}
        typer.echo(json.dumps(told))
        return
    _show(summary)
    typer.echo(f"{summary.total('due')} keys are due at {moment(until)}; nothing was destroyed.")
    if save is not None:
        typer.echo(f"Written to {save}. When somebody has read it: habeas retention run {save}")


def show_holds(database_url: str | None, *, as_json: bool) -> None:
    """Each hold in force, with the command that ends it."""
    found = asyncio.run(_holds(database_url))
    if as_json:
        told = [
            {**asdict(one), "request_id": str(one.request_id), "hold_id": str(one.hold_id)} for one in found
        ]
        typer.echo(json.dumps({"holds": told}))
        return
    for one in found:
        state = "over, its key is kept" if one.over else "runs, nothing is destroyed"
        typer.echo(f"{one.request_id}  {one.business}  {state}")
        typer.echo(f"  habeas decide release {one.request_id} --hold-id {one.hold_id}")
    if not found:
        typer.echo("No hold is in force.")


async def _holds(database_url: str | None) -> list[Held]:
    async with database(local_settings(), database_url) as connection:
        return [one async for one in holds(connection)]


def run_plan(file: Path, actor: str, database_url: str | None, *, confirmed: bool, as_json: bool) -> bool:
    """Carry a plan out; whether all of its keys are gone."""
    due = [one.request_id for one in due_in(file)]
    if due and not confirmed:
        typer.confirm(f"Destroy the keys of {len(due)} requests for good?", abort=True, err=True)
    ended, gone = asyncio.run(_run(due, Order(actor, digest_of(file)), database_url))
    if as_json:
        typer.echo(json.dumps(_facts(ended, gone)))
    else:
        typer.echo("\n".join(_sentences(ended, gone)))
    return not ended.refused and not ended.unanswered


def _until(through: str | None) -> datetime:
    try:
        day = date.fromisoformat(through) if through else None
    except ValueError:
        typer.echo("--through: write the day as YYYY-MM-DD.", err=True)
        raise typer.Exit(2) from None
    if day is None:
        return clock_of(local_settings()).now()
    return datetime.combine(day + timedelta(days=1), time(), UTC)


async def _plan(through: datetime, save: Path | None, database_url: str | None) -> Summary:
    summary = Summary()
    async with database(local_settings(), database_url) as connection:
        with save.open("w", encoding="utf-8") if save else nullcontext() as file:
            if file is not None:
                file.write(heading(through) + "\n")
            async for one in planned(connection, through):
                summary.add(one)
                if file is not None and one.state != "destroyed":
                    file.write(one.line() + "\n")
    return summary


async def _run(due: list[UUID], order: Order, database_url: str | None) -> tuple[Ended, int]:
    """How the orders ended, and how many keys were gone before."""
    settings = local_settings()
    gone = await _gone(due, database_url)
    left = [one for one in due if one not in gone]
    with Console(stderr=True).status("Ordering ...") as status:

        def progress(count: int) -> None:
            status.update(f"{count:,} of {len(left):,} orders have ended ...")

        ended = await carry_out(settings, left, order, progress) if left else Ended()
    return ended, len(gone)


async def _gone(due: list[UUID], database_url: str | None) -> set[UUID]:
    """Which of the plan's keys are destroyed already: an earlier run of it, or the service by itself."""
    settings = local_settings()
    found: set[UUID] = set()
    async with database(settings, database_url) as connection:
        for first in range(0, len(due), AT_ONCE):
            some = due[first : first + AT_ONCE]
            states = await states_now(connection, some, clock_of(settings).now())
            found |= {one for one, state in states.items() if state == "destroyed"}
    return found


def _show(summary: Summary) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading_ in HEADINGS:
        table.add_column(heading_, justify="left" if heading_ in HEADINGS[:2] else "right", no_wrap=True)
    for one in summary.to_json():
        counts = (str(one.get(state, 0)) for state in STATES)
        table.add_row(one["regime"], one["resolution"], *counts)
    Console(width=120).print(table, crop=False)


def _facts(ended: Ended, gone: int) -> dict[str, object]:
    return {
        "destroyed": ended.destroyed,
        "destroyed_before": gone,
        "refused": dict(ended.refused),
        "unanswered": [str(one) for one in ended.unanswered],
    }


def _sentences(ended: Ended, gone: int) -> list[str]:
    told = [f"{ended.destroyed} keys were destroyed; {gone} were gone before."]
    if ended.destroyed:
        told.append("What was sealed under them is unreadable by now; answers' files go within the hour.")
    told += [f"{count} refused: {reason}" for reason, count in sorted(ended.refused.items())]
    if ended.unanswered:
        told.append(
            f"{len(ended.unanswered)} are not known to be destroyed: the deadline service or its vault did not answer; "
            "run this again."
        )
    return told
