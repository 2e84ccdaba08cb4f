"""The read model is kept up to the topics, and made anew from their first record where somebody asks."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.reports.book import Book, Said
from deploy.topic_replay import CLIENT, ends_of, lifecycle_places, raw, replay
from shared.broker import CLI, broker_of, let_go
from shared.events.envelope import Record, read
from shared.settings import Settings

# How many records are taken in at once: all that is in memory of a log, however long it is.
AT_ONCE: Final = 2_000
DIFFERENT_SHOWN: Final = 20
Progress = Callable[[int, int], None]
Ends = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What making the read model anew found: the same, or the requests that were told otherwise before."""

    requests: int
    records: int
    compared: bool
    different: list[UUID]


def book_file(settings: Settings) -> Path:
    """Where the read model lies."""
    return settings.home / "reports" / "requests.sqlite"


@asynccontextmanager
async def current_book(settings: Settings, progress: Progress = lambda *_: None) -> AsyncIterator[Book]:
    """The read model up to the topics' ends of now; `progress` hears how many records of how many were read.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    ends = await ends_of(settings, await lifecycle_places(settings))
    book = Book.open(book_file(settings), await _origin(settings))
    try:
        await read_on(settings, book, ends, progress)
        yield book
    finally:
        book.close()


async def rebuilt(settings: Settings, progress: Progress = lambda *_: None) -> Rebuilt:
    """Make the read model from the first record, compare it with the one that was there, and put it in its place.

    Both are brought to the same place of every partition first.

    Raises:
        aiokafka.errors.KafkaError: the broker is away.
    """
    ends = await ends_of(settings, await lifecycle_places(settings))
    path, origin = book_file(settings), await _origin(settings)
    compared = path.exists()
    old, draft = Book.open(path, origin), path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    new = Book.open(draft, origin)
    try:
        await read_on(settings, old, ends, lambda *_: None)
        await read_on(settings, new, ends, progress)
        different = list(islice(new.differs_from(old), DIFFERENT_SHOWN))
        found = Rebuilt(new.count(), sum(ends.values()), compared, different)
    finally:
        old.close()
        new.close()
    _put(draft, path)
    return found


async def read_on(settings: Settings, book: Book, ends: Ends, progress: Progress) -> None:
    """Read from where the book stands to these ends."""
    known = book.places
    starts = {place: known.get((place.topic, place.partition), 0) for place in ends}
    behind = {place: end for place, end in ends.items() if starts[place] < end}
    total = sum(end - starts[place] for place, end in behind.items())
    said: list[Said] = []
    places: dict[tuple[str, int], int] = {}
    count = 0
    async for record in replay(settings, list(behind), starts=_seeks(starts, behind), ends=behind):
        count += 1
        places[record.topic, record.partition] = record.offset + 1
        found = read(raw(record, settings.namespace))
        if isinstance(found, Record):
            said.append((found.envelope.subject, found.envelope.time, found.body))
        if count % AT_ONCE == 0:
            book.write(said, places)
            said.clear()
            progress(count, total)
    book.write(said, places)
    progress(count, total)


def _seeks(starts: Ends, behind: Ends) -> Ends:
    """Where to read on; what was never read begins at its earliest record, whichever that is."""
    return {place: starts[place] for place in behind if starts[place]}


def _put(draft: Path, path: Path) -> None:
    """The whole file at once; what SQLite keeps beside it belongs to the old one."""
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    draft.replace(path)


async def _origin(settings: Settings) -> str:
    """The cluster and the installation on it: another cluster's places would mean nothing here."""
    admin = AIOKafkaAdminClient(**broker_of(settings, CLI).client(), client_id=CLIENT)
    try:
        await admin.start()
        described = await admin.describe_cluster()
    finally:
        await let_go(admin.close())
    return f"{described.get('cluster_id') or ''}/{settings.namespace}"
