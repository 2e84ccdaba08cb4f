"""What must be true once nothing moves any more: nothing lost, everything ended or visibly waiting, one answer each."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from services.deadline.domain import DeadlineCase
from services.fulfillment.domain import FulfillmentCase
from services.fulfillment.ports import Receipt
from services.intake.domain import IntakeCase
from shared.audit import AuditHead, verify_chain
from shared.events.catalogue import decode
from shared.events.topics import SERVICES
from tests.support.memory_store import TaskRow

if TYPE_CHECKING:
    from tests.simulation.world import World

OVER = {"done", "canceled"}
TOO_OLD = "received_too_long_ago"


def closed(world: "World", request_id: UUID) -> bool:
    return bool(world.auditor.stories[request_id].closed)


def visibly_waiting(world: "World", request_id: UUID) -> bool:
    """A person was told: of a task that needs one, of what cannot be sent or delivered; or the first of two waits."""
    if world.blocked(request_id):
        return True
    first = world.databases["fulfillment"].subjects.joined.get(request_id)
    if first is not None and not closed(world, first) and visibly_waiting(world, first):
        return True
    fulfillment = world.databases["fulfillment"].tables
    stuck = [t for t in fulfillment.tasks.values() if t.new.request_id == request_id]
    waits = any(task.state == "needs_person" for task in stuck)
    row = world.databases["intake"].tables.cases.get(request_id)
    case = IntakeCase.model_validate_json(row.body) if row and row.body else IntakeCase()
    return (
        waits
        or case.state in {"unknown", "refused"}
        or "failed" in {one.state for one in case.notices.values()}
    )


def pending(world: "World") -> bool:
    """A retry still to come, or a dead process's lease, would end in the midst of the replay.

    The join of a first that waits for a person never ends.
    """
    soon = world.clock.now() + timedelta(days=1)
    return any(
        task.lease_until is not None
        or (
            task.state in {"queued", "ambiguous"}
            and task.run_at < soon
            and not _waits_for_its_first(world, task)
        )
        for database in world.databases.values()
        for task in database.tables.tasks.values()
    )


def _waits_for_its_first(world: "World", task: TaskRow) -> bool:
    plan = task.new.plan
    return plan.handler == "join" and not closed(world, UUID(str(plan.body["first"])))


def check_what_is_set_aside(world: "World") -> None:
    """I5: a record that can never be sent holds up its own topic and request; everything else has gone on."""
    for service in SERVICES:
        outbox = world.databases[service].outbox
        assert not outbox.has_heads, f"I5: {service} holds back more than what cannot be sent"
    for request_id in world.people.asked:
        assert closed(world, request_id) or visibly_waiting(world, request_id), (
            "I5: a request waits for another"
        )


def check_at_rest(world: "World") -> None:
    """Everything that only holds at rest."""
    for service in SERVICES:
        _chains(world, service)
        _published(world, service)
        _nothing_waits(world, service)
    _commands_are_answered(world)
    _answered_for(world)
    for request_id in world.people.asked:
        _ended(world, request_id)


def _chains(world: "World", service: str) -> None:
    tables = world.databases[service].tables
    for request_id, row in tables.cases.items():
        chain = [entry for (owner, _), entry in sorted(tables.audit.items()) if owner == request_id]
        end = verify_chain(chain)
        assert end == (row.head if chain else AuditHead(0, "")), f"{service}'s audit chain is broken"


def _published(world: "World", service: str) -> None:
    """I1: every committed record is on its topic; G3: every event of a request was applied by every reader."""
    database = world.databases[service]
    assert not database.outbox.unpublished, f"I1: {service} has not published everything"
    for row in database.tables.outbox.values():
        name = f"{row.headers['ce_source']} {row.headers['ce_id']}"
        assert name in world.auditor.records, f"I1: a record of {service} is not on {row.topic}"


def _nothing_waits(world: "World", service: str) -> None:
    tables = world.databases[service].tables
    assert not tables.parked, f"{service} still keeps parked records"
    assert not any(row.blocked for row in tables.cases.values()), f"{service} has a blocked case"
    expected = world.people.nonsense if service == "intake" else 0
    assert len(tables.dead) == expected, f"{service} has {len(tables.dead)} dead letters, not {expected}"
    for row in tables.cases.values():
        for topic, sequence in row.applied.items():
            written = {
                record.header("ce_sequence")
                for partition in range(world.log.count)
                for record in world.log.partitions.get((topic, partition), ())
                if record.key.decode() == str(row.request_id)
            }
            assert sequence == len(written), f"G3: {service} did not apply all of {topic}"


def _commands_are_answered(world: "World") -> None:
    """Every command that lies on a topic was answered, once."""
    answers = [
        decode(record.header("ce_type"), record.value).model_dump()
        for record in {id(one): one for one in world.auditor.records.values()}.values()
        if any(kind in record.header("ce_type") for kind in ("command-accepted", "command-refused"))
    ]
    answered = [(one["command_source"], str(one["command_id"])) for one in answers]
    assert len(answered) == len(set(answered)), "a command was answered twice"
    for record in world.auditor.records.values():
        if record.topic.startswith("dsar.commands"):
            name = (record.header("ce_source"), record.header("ce_id"))
            assert name in set(answered), f"{record.header('ce_type')} was never answered"


def _answered_for(world: "World") -> None:
    """What a person completed waits for nobody any more, whatever its attempts made of it."""
    database = world.databases["fulfillment"].tables
    for task in database.tasks.values():
        row = database.cases[task.new.request_id]
        case = FulfillmentCase.model_validate_json(row.body or "{}")
        if case.word_on(task.new.plan.key) is not None:
            assert task.state in OVER, "a completed task is still open"


def _has_evidence(task: TaskRow) -> None:
    """G4: whoever says done shows the receipt whose digest travelled."""
    if task.new.plan.handler not in {"act", "export"} or task.state != "done":
        return
    result = json.loads(task.result or "{}")["result"]
    if result["outcome"]["outcome"] == "done":
        digest = Receipt.from_json(result["receipt"]).sealed().digest
        assert result["outcome"]["receipt_digest"] == digest, "G4: a receipt is not what was told"


def _ended(world: "World", request_id: UUID) -> None:
    """G1, G4: a request that was taken in is closed with all its tasks ended, or somebody knows why not."""
    story = world.auditor.stories[request_id]
    if story.refused is not None and story.received is None:
        # Nobody read it for weeks: whoever sent it was told, and may say otherwise.
        assert story.refused.reason == TOO_OLD, "a submission was refused"
        return
    assert story.received is not None, "a request was lost"
    assert closed(world, request_id) or visibly_waiting(world, request_id), "G1: a request waits unseen"
    if not story.closed:
        return
    assert len(story.fulfilled) == 1
    fulfillment = world.databases["fulfillment"].tables
    tasks = [task for task in fulfillment.tasks.values() if task.new.request_id == request_id]
    assert all(task.state in OVER for task in tasks), "G4: a closed request has an open task"
    for task in tasks:
        _has_evidence(task)
    done = [one for one in story.fulfilled[0].systems if one.outcome == "done"]
    assert all(one.receipt_digest for one in done), "G4: a system is done without a receipt"
    row = fulfillment.cases[request_id]
    case = FulfillmentCase.model_validate_json(row.body or "{}")
    assert case.closed_at is not None, "G4: fulfillment does not know that a request is closed"
    assert case.resolution == story.fulfilled[0].resolution
    deadline = world.databases["deadline"].tables.cases[request_id]
    known = DeadlineCase.model_validate_json(deadline.body or "{}")
    assert known.received is not None
    assert known.received.clocks == story.received.clocks, "a clock moved"
    assert known.extended == bool(story.extended)
    assert request_id in world.databases["deadline"].certificates.rows, "G4: closed without a certificate"
