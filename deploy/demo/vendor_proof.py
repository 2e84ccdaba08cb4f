"""The proof about vendors: by the bytes on their topics and by what they hold in the end."""

import email
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from aiokafka import AIOKafkaConsumer

from deploy.demo.plan import BY_ANYBODY, Ask, Role
from deploy.demo.vendor_story import DISSOLVED, MAIL, ON_PAPER
from deploy.demo.world import World

TOLD = {
    # By the sample's contracts: an opt-out or a limit is for whom data is shared with, a deletion for everybody,
    # a correction for who holds data for us.
    "evergreen-mail": frozenset({"delete", "correct"}),
    "meridian-audiences": frozenset({"delete", "opt_out", "limit"}),
}


FACTS: Mapping[Role, str] = {"mute": DISSOLVED, "unwilling": ON_PAPER}


@dataclass(frozen=True, slots=True)
class Told:
    """Every directive as it lay on its vendor's topic, and whom each vendor knows in the end."""

    messages: tuple[tuple[str, UUID, str, int], ...]
    known: Mapping[str, Mapping[str, bool]]
    people: int

    @property
    def first_messages(self) -> int:
        """How many directives there were; reminders are none of their own."""
        return sum(number == 1 for *_, number in self.messages)

    def findings(self, receipts: Mapping[UUID, Ask[Any]]) -> Iterator[str]:
        """Whoever was missed, was told twice or something else, or did not do it."""
        firsts = Counter((vendor, request) for vendor, request, _, number in self.messages if number == 1)
        ids = {(vendor, request, directive) for vendor, request, directive, _ in self.messages}
        directives = Counter((vendor, request) for vendor, request, _ in ids)
        wanted = {
            (vendor, one) for vendor in self.known for one, ask in receipts.items() if _concerns(vendor, ask)
        }
        for vendor, request in sorted({*wanted, *firsts}, key=str):
            times = (firsts[vendor, request], directives[vendor, request])
            if times != ((1, 1) if (vendor, request) in wanted else (0, 0)):
                yield f"request {request}: {vendor} was told {times[0]} times under {times[1]} directives"
        for vendor in self.known:
            yield from self._undone(vendor, [ask for ask in receipts.values() if _concerns(vendor, ask)])

    def _undone(self, vendor: str, asks: list[Ask[Any]]) -> Iterator[str]:
        known = self.known[vendor]
        gone = {ask.person.email for ask in asks if ask.right == "delete" and not _undone_by(vendor, ask)}
        # The example marks a person alike for both.
        out = {ask.person.email for ask in asks if ask.right in BY_ANYBODY}
        if gone & known.keys() or len(known) != self.people - len(gone):
            yield f"{vendor}: knows {len(known)} people, and {self.people - len(gone)} should be left"
        if {email for email, opted_out in known.items() if opted_out} != out:
            yield f"{vendor}: others opted out there than who asked for it"


async def what_vendors_said(
    world: World, receipts: Mapping[UUID, Ask[Any]], answered: Sequence[tuple[str, str]]
) -> AsyncIterator[str]:
    """What was believed or refused otherwise than it should be, what was not counted, and whose facts are not told."""
    for expected, got in answered:
        if got != expected:
            yield f"a vendor's word was answered with {got}, and not with {expected}"
    counted = await _refusals_counted(world)
    for reason, number in sum(world.watch.refusals.values(), Counter[str]()).items():
        if counted[reason] < number:
            yield f"{number} words were refused as {reason}, and {counted[reason]} were counted"
    letters = [_text(file) for file in world.stack.mail_dir.glob("*.eml")]
    for request, ask in receipts.items():
        facts = FACTS.get(ask.role)
        if facts is not None and not any(str(request) in one and facts in one for one in letters):
            yield f"request {request}: the answer does not tell why the vendor did not do it"


async def _refusals_counted(world: World) -> Counter[str]:
    """What fulfillment counted, as a monitoring system scrapes it."""
    async with httpx2.AsyncClient(timeout=30) as http:
        page = await http.get(f"{world.services.url('fulfillment')}/metrics")
    found = re.findall(r'^habeas_refusals_total\{reason="(\w+)"\} (\S+)$', page.text, re.MULTILINE)
    return Counter({reason: int(float(number)) for reason, number in found})


def _text(file: Path) -> str:
    """A mail's words, however its lines are broken."""
    part = email.message_from_bytes(file.read_bytes(), policy=default).get_body(("plain",))
    return " ".join(part.get_content().split()) if part is not None else ""


async def what_vendors_were_told(world: World) -> Told:
    """Read the vendors' topics from the beginning, and their own files."""
    return Told(
        messages=tuple([one async for one in _messages(world)]),
        known={one.vendor: world.vendors.people_of(one.vendor) for one in world.vendors.at_work},
        people=len({person.email for person in world.business.people}),
    )


async def _messages(world: World) -> Any:
    names = [topic.name for topic in world.vendors.topics if topic.kind == "event"]
    if not names:
        return
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=world.settings.kafka_bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        behind = {place for place, end in ends.items() if end}
        while behind:
            for place, records in (await consumer.getmany(*behind, timeout_ms=200)).items():
                for record in records:
                    body = json.loads(record.value)
                    yield body["vendor"], UUID(record.key.decode()), body["directive_id"], body["message"]
                if await consumer.position(place) >= ends[place]:
                    behind.discard(place)


def _undone_by(vendor: str, ask: Ask[Any]) -> bool:
    """By the plan, one vendor does not do what these ask."""
    return vendor == MAIL and ask.role in FACTS


def _concerns(vendor: str, ask: Ask[Any]) -> bool:
    return ask.right in TOLD[vendor] and ask.acts
