"""Runs the demonstration from the first server to the last line, with the live table in between."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.demo.cascadia.people import Person, stranger_to
from deploy.demo.misspelt import Clerks, everywhere
from deploy.demo.plan import Ask, plan, without_vendors
from deploy.demo.processes import ServiceFailed
from deploy.demo.proof import Happened, Proved, prove
from deploy.demo.screen import table
from deploy.demo.story import Story, watch_over
from deploy.demo.world import PEOPLE, Wanted, World, world
from deploy.local.errors import StackError

REFRESH_SECONDS = 0.25


def demonstrated(wanted: Wanted, *, stay: bool) -> bool:
    """Run the demonstration and print its last line; whether everything was proved."""
    console = Console()
    proved = None
    try:
        proved = asyncio.run(demonstrate(wanted, console, stay=stay))
    except* (StackError, ServiceFailed, TimeoutError, ValueError) as stopped:
        for error in _each(stopped):
            console.print(f"not proved: {error}", highlight=False, soft_wrap=True)
    except* asyncio.CancelledError:
        console.print("not proved: told to end before that; every process was stopped", highlight=False)
    return proved is not None and not proved.findings


def _each(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """What went wrong, however many groups of tasks it came through."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _each(error)
        else:
            yield error


async def demonstrate(wanted: Wanted, console: Console, *, stay: bool) -> Proved:
    """The whole main job; with `stay` everything is left running until Ctrl-C.

    Raises:
        StackError, ServiceFailed, TimeoutError: the run did not get to its proof; the text says why.
    """
    _before_anything_starts(wanted)

    def say(sentence: str) -> None:
        console.print(f"· {sentence}", highlight=False, soft_wrap=True)

    async with world(wanted, say) as everything:
        story = Story(everything, _asks(everything, wanted), say)
        async with _table(everything, console), asyncio.TaskGroup() as group:
            watching = group.create_task(watch_over(everything.services))
            by_hand = group.create_task(everything.office.work(everything.watch))
            at_desks = group.create_task(_clerks(everything).work(everything.watch))
            elsewhere = group.create_task(everything.told.work(everything.watch))
            await story.tell()
            for task in (watching, by_hand, at_desks, elsewhere):
                task.cancel()
        happened = Happened(story.receipts, story.answers, story.vendors.answered)
        proved = await prove(everything, happened)
        _say(proved, _elsewhere(everything), console)
        if stay:
            _where_to_look(everything, console)
            await _stay(everything)
            console.print("· stopping every process")
    return proved


def _before_anything_starts(wanted: Wanted) -> None:
    """Tell of a number that cannot be; from now on SIGTERM ends the run as Ctrl-C does, with all that it started."""
    plan(range(PEOPLE), PEOPLE, wanted.requests, wanted.seed)
    if running := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)


def _asks(everything: World, wanted: Wanted) -> list[Ask[Person]]:
    people, audit = everything.business.people, everything.business.audit()
    asks = plan(
        people, stranger_to(people), wanted.requests, wanted.seed, misspelt=partial(everywhere, audit)
    )
    return asks if everything.vendors.at_work else without_vendors(asks)


@asynccontextmanager
async def _table(everything: World, console: Console) -> AsyncIterator[None]:
    """Show the live table where somebody looks; elsewhere the sentences must do."""
    if not console.is_terminal:
        yield
        return
    with Live(console=console, refresh_per_second=4) as live:
        task = asyncio.get_running_loop().create_task(_refresh(live, everything))
        try:
            yield
        finally:
            task.cancel()
            live.update(_current(everything))


async def _refresh(live: Live, everything: World) -> None:
    while True:
        live.update(_current(everything))
        await asyncio.sleep(REFRESH_SECONDS)


def _current(everything: World) -> Table:
    now = everything.clock.now().strftime("%Y-%m-%d %H:%M")
    return table(everything.watch.seen.values(), title=f"Cascadia Motors, {now} UTC")


def _say(proved: Proved, elsewhere: Sequence[str], console: Console) -> None:
    for finding in proved.findings[:20]:
        console.print(f"NOT PROVED: {finding}", style="red", highlight=False)
    if proved.findings:
        console.print(f"not proved: {len(proved.findings)} findings", highlight=False, soft_wrap=True)
    else:
        told = f"· {proved.told} directives to vendors: none missed, none told twice something different"
        console.print(told, highlight=False, soft_wrap=True)
        reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(proved.refused.items()))
        if reasons:
            refused = f"· words that were refused and moved nothing: {reasons}"
            console.print(refused, highlight=False, soft_wrap=True)
        mended = f"· a misspelt name was put right in {proved.corrected} rows, and nothing else of that person changed"
        console.print(mended, highlight=False, soft_wrap=True)
        for sentence in elsewhere:
            console.print(f"· {sentence}", highlight=False, soft_wrap=True)
        console.print(proved.line(), highlight=False, soft_wrap=True)


def _elsewhere(everything: World) -> tuple[str, ...]:
    """What is proved of places beside the business's databases."""
    lists, told = everything.business.sentences(), everything.told.sentences()
    return (*lists, *told, everything.rooftop.sentence())


def _where_to_look(everything: World, console: Console) -> None:
    home, urls = everything.settings.home, everything.services
    named = f"HABEAS_HOME={home} HABEAS_CLOCK=advance HABEAS_FULFILLMENT_SYSTEMS={home / 'systems'}"
    lines = [
        f"requests go to        POST {urls.url('intake')}/requests",
        f"health and metrics    {urls.url('fulfillment')}/ready  …/metrics (each service has them)",
        f"mail that was sent    {everything.stack.mail_dir}",
        f"Kafka                 {everything.stack.kafka_bootstrap}   (habeas events show REQUEST)",
        f"services' logs        {home / 'logs'}",
        "what people do by hand  now waits for you: habeas request whom, habeas decide complete",
        f"the command line      {named} .venv/bin/habeas request list",
    ]
    console.print("\nStill running. Where to look:", highlight=False)
    for line in lines:
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    console.print("Ctrl-C stops every process.", highlight=False)


def _clerks(everything: World) -> Clerks:
    return Clerks(everything.settings, everything.business.places)


async def _stay(everything: World) -> None:
    """Those who are only told answer also whom you tell, until Ctrl-C."""
    async with asyncio.TaskGroup() as group:
        elsewhere = group.create_task(everything.told.work(everything.watch))
        await _until_interrupted()
        elsewhere.cancel()


async def _until_interrupted() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with suppress(asyncio.CancelledError):
        await stop.wait()
