"""Carries a plan out: an order for each key, signed, answered by the deadline service, and followed to its end.

The service decides each anew: what is held, still needed or gone already is refused, whatever the plan says. So a run
that was interrupted is simply run again.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.commands import journal_from_now, publishing, sign
from shared.events.commands import DestroyRequestKey
from shared.events.deadline import RequestKeyDestroyed
from shared.keyfiles import KeyFiles
from shared.settings import Settings
from shared.signing import KeyRing

AT_ONCE: Final = 200
PATIENCE_SECONDS: Final = 60.0
Progress = Callable[[int], None]


@dataclass(slots=True)
class Ended:
    """How the orders ended: destroyed, refused with a word, or not heard of in time."""

    destroyed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Order:
    """Who has a plan carried out, and which."""

    actor: str
    plan: str


async def carry_out(
    settings: Settings,
    ids: Iterable[UUID],
    order: Order,
    progress: Progress = lambda _: None,
    *,
    patience: float = PATIENCE_SECONDS,
) -> Ended:
    """Order each key's destruction, some hundreds at a time; `progress` hears how many have ended.

    Where nothing is heard for as long as `patience` says, the rest is unanswered: it is not lost, and may come yet.
    """
    ended, rest = Ended(), iter(ids)
    ring = KeyFiles(settings.keys).cli()
    body = DestroyRequestKey(plan=order.plan, actor=order.actor)
    async with journal_from_now(settings, "deadline") as journal, publishing(settings) as producer:
        while some := list(islice(rest, AT_ONCE)):
            asked = await _sent(settings, ring, producer, some, body)
            await _followed(journal, asked, ended, patience)
            progress(ended.destroyed + ended.refused.total() + len(ended.unanswered))
    return ended


async def _sent(
    settings: Settings, ring: KeyRing, producer: AIOKafkaProducer, ids: list[UUID], body: DestroyRequestKey
) -> dict[UUID, UUID]:
    """Each command's id, with its request's."""
    signed = {one: sign(settings, ring, one, body) for one in ids}
    sent = [await producer.send(*one.record, headers=one.headers) for one in signed.values()]
    await asyncio.gather(*sent)
    return {one.id: request_id for request_id, one in signed.items()}


async def _followed(journal: AIOKafkaConsumer, asked: dict[UUID, UUID], ended: Ended, seconds: float) -> None:
    """Until each was refused or is gone, or nothing more is heard of them."""
    waiting = set(asked.values())
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds) as patience:
            while waiting:
                record = await anext(journal)
                for request_id, reason in _ends(dict(record.headers), json.loads(record.value), asked):
                    if request_id in waiting:
                        waiting.remove(request_id)
                        _count(ended, reason)
                        patience.reschedule(loop.time() + seconds)
    except TimeoutError:
        ended.unanswered += sorted(waiting)


def _ends(
    headers: dict[str, bytes], said: dict[str, str], asked: dict[UUID, UUID]
) -> Iterator[tuple[UUID, str]]:
    """A request's end and the word of its refusal, or no word where its key is gone."""
    if headers.get("ce_type") == RequestKeyDestroyed.declared.ce_type.encode():
        yield UUID(headers["ce_subject"].decode()), ""
    elif said.get("reason") and (of := said.get("command_id")) and UUID(of) in asked:
        yield asked[UUID(of)], said["reason"]


def _count(ended: Ended, reason: str) -> None:
    if reason:
        ended.refused[reason] += 1
    else:
        ended.destroyed += 1
