"""The proof: the business's own SQL, the ledger, the topics' bytes and the certificates; nothing of Habeas is asked.

Each finding is a sentence that names what is wrong; none means that the run is proved.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx2

from deploy.demo.answer_proof import what_was_collected
from deploy.demo.cascadia.audit import Audit
from deploy.demo.cascadia.people import Person
from deploy.demo.misspelt import as_it_should_be
from deploy.demo.plan import RESOLUTIONS, Ask
from deploy.demo.vendor_proof import what_vendors_said, what_vendors_were_told
from deploy.demo.watch import Seen
from deploy.demo.world import World
from shared.evidence import (
    CertificateRefused,
    build_payload,
    check_events,
    evidence_digest,
    verify_certificate,
)
from shared.keyfiles import KeyFiles
from shared.signing import PublicKeys

CHANGES_NOTHING = ("know_specific", "know_categories", "limit")
"""In the business's own systems; of a limit a vendor is told."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What was found, and the numbers of the last line."""

    requests: int
    closed_in_time: int
    extended: int
    denied: int
    refused: Counter[str]
    broker: str
    findings: tuple[str, ...] = ()
    rows_left: int = 0
    twice: int = 0
    told: int = 0
    corrected: int = 0

    def line(self) -> str:
        """The last line of the demonstration."""
        return (
            f"proved: {self.requests} requests, {self.closed_in_time} closed in time, {self.extended} extended,"
            f" {self.denied} denied unverified, {self.rows_left} rows left, {self.twice} effects twice,"
            f" broker {self.broker}"
        )


@dataclass(frozen=True, slots=True)
class Happened:
    """What the story did: who asked for what, what they collected, what vendors' words should have met, and did."""

    receipts: Mapping[UUID, Ask[Any]]
    answers: Mapping[UUID, bytes]
    vendors: Sequence[tuple[str, str]]


async def prove(world: World, happened: Happened) -> Proved:
    """Look at everything with the business's own eyes."""
    receipts = happened.receipts
    audit = await world.business.audit().look()
    seen = {request_id: world.watch.seen[request_id] for request_id in receipts}
    told = await what_vendors_were_told(world)
    twice = await audit.effects_twice()
    findings = [
        *_ends(seen, receipts),
        *_data(audit, seen, receipts),
        *_names(audit, receipts),
        *(f"{one.system}.{one.table}: {one.verb} of one row {one.times} times" for one in twice),
        *[finding async for finding in _certificates(world, seen)],
        *told.findings(receipts),
        *[finding async for finding in what_vendors_said(world, receipts, happened.vendors)],
        *what_was_collected(world, receipts, happened.answers),
        *world.rooftop.findings(),
        *world.told.findings(receipts),
        *world.office.findings(
            [ask.person for ask in receipts.values() if _deleted(ask)], _renamed(receipts)
        ),
    ]
    return replace(
        _counted(world, seen),
        findings=tuple(findings),
        rows_left=_rows_left(audit, receipts),
        twice=len(twice),
        told=told.first_messages,
        corrected=sum(len(audit.named(person)) for person in _renamed(receipts)),
    )


def _counted(world: World, seen: Mapping[UUID, Seen]) -> Proved:
    """The numbers that the topics tell."""
    refusals = (world.watch.refusals[request_id] for request_id in seen)
    return Proved(
        requests=len(seen),
        closed_in_time=sum(1 for one in seen.values() if one.closed and one.closed["in_time"]),
        extended=sum(one.extended for one in seen.values()),
        denied=sum(one.resolution == "denied" for one in seen.values()),
        refused=sum(refusals, Counter[str]()),
        broker=world.stack.broker,
    )


def _ends(seen: Mapping[UUID, Seen], receipts: Mapping[UUID, Ask[Any]]) -> Iterator[str]:
    """How every request should have ended, by the plan alone."""
    for request_id, ask in receipts.items():
        one = seen[request_id]
        if one.closed is None:
            yield f"request {request_id} is not closed"
        elif not one.closed["in_time"]:
            yield f"request {request_id} was answered late"
        if one.extended != (ask.role == "late"):
            yield f"request {request_id}: extended is {one.extended}, and the plan says otherwise"
        if one.resolution not in RESOLUTIONS[ask.role]:
            yield f"request {request_id} ended as {one.resolution}, and the plan says otherwise"
        numbers = Counter(one.types)
        if numbers["dsar.request.fulfilled.v1"] != 1 or numbers["dsar.request.closed.v1"] != 1:
            yield f"request {request_id} was fulfilled or closed more than once"


def _data(audit: Audit, seen: Mapping[UUID, Seen], receipts: Mapping[UUID, Ask[Any]]) -> Iterator[str]:
    """What the systems hold of those who asked, and of those who did not."""
    for request_id, ask in receipts.items():
        left = audit.rows_left(ask.person)
        deleted = _deleted(ask)
        if deleted and left:
            yield f"request {request_id}: {len(left)} rows are left, the first in {left[0][0]}.{left[0][1]}"
        if deleted and not audit.retained_only_under_exemption(ask.person):
            yield f"request {request_id}: something is kept that no exemption covers"
        if ask.right == "opt_out" and audit.not_opted_out(ask.person):
            yield f"request {request_id}: a system does not show the opt-out"
        if ask.role in {"silent", "withdrawn"} and not left:
            yield f"request {request_id} ended as {seen[request_id].resolution}, and the data is gone all the same"
    changed = [ask.person for ask in receipts.values() if ask.right not in CHANGES_NOTHING and ask.acts]
    touched = audit.bystanders_touched(changed)
    if touched:
        yield f"{len(touched)} rows of people who did not ask for a change were changed"


def _deleted(ask: Ask[Any]) -> bool:
    """By the plan, nothing of the person may be left."""
    return ask.right == "delete" and ask.acts


def _names(audit: Audit, receipts: Mapping[UUID, Ask[Any]]) -> Iterator[str]:
    """Whose name was to be corrected: that it stands everywhere, and that nothing else is another."""
    for person, right in _renamed(receipts).items():
        for system, table, _ in audit.not_corrected(person, right):
            yield f"a row of {system}.{table} is not as a correction should have left it"


def _renamed(receipts: Mapping[UUID, Ask[Any]]) -> dict[Person, str]:
    return {ask.person: as_it_should_be(ask.person) for ask in receipts.values() if ask.right == "correct"}


def _rows_left(audit: Audit, receipts: Mapping[UUID, Ask[Any]]) -> int:
    return sum(len(audit.rows_left(ask.person)) for ask in receipts.values() if _deleted(ask))


async def _certificates(world: World, seen: Mapping[UUID, Seen]) -> AsyncIterator[str]:
    """Every certificate verifies with the public key, and against the bytes that lie on the topics."""
    keys = KeyFiles(world.settings.keys).evidence_public()
    async with httpx2.AsyncClient(base_url=world.services.url("deadline"), timeout=30) as http:
        for request_id, one in seen.items():
            answer = await http.get(f"/certificates/{request_id}")
            fault = _fault(answer, one, keys)
            if fault is not None:
                yield f"request {request_id}: {fault}"


def _fault(answer: httpx2.Response, one: Seen, keys: PublicKeys) -> str | None:
    if answer.status_code != httpx2.codes.OK:
        return f"it has no certificate ({answer.status_code})"
    found = verify_certificate(answer.text, keys)
    if isinstance(found, CertificateRefused):
        return f"its certificate does not verify: {found.reason}"
    if not check_events(found, {UUID(event): raw for event, raw in one.raw.items()}).agree:
        return "its certificate and the topics disagree"
    if one.closed is None or evidence_digest(build_payload(found)) != one.closed["evidence_digest"]:
        return "its closing event names another certificate"
    return None
