"""What the end of a task means for its request."""

from datetime import datetime
from uuid import UUID

from services.fulfillment.domain import ending, planning, progress, reviewing, vendors
from services.fulfillment.domain.case import FulfillmentCase, Part
from shared.events.fulfillment import (
    PackageReference,
    SystemOutcome,
    TaskNeedsPerson,
)
from shared.machine.decision import Decision, Kept, Outgoing, TaskFinished

# The reason why a task waits for a person although it may have done something: only a person can end that.
UNPROVED = "unproved"


def needs_person(case: FulfillmentCase, body: TaskFinished) -> Decision[FulfillmentCase]:
    """The task stays open until a person has mended what stopped it and sent RetryTask."""
    if case.word_on(body.key) is not None or reviewing.is_decided(case, body.key):
        # Somebody answered for it while it was tried once more: looked at now, it ends by their word.
        return Decision(case, hurry=(body.key,))
    kind = str(body.result.get("kind", "refused"))
    stuck = case.model_copy(update={"stuck": tuple(sorted({*case.stuck, body.key}))})
    event = TaskNeedsPerson(
        system=planning.system_of(body.key),
        task=body.key,
        kind=kind,
        reason=str(body.result.get("reason", "")),
    )
    # A request that was taken back meanwhile needs nobody: looked at now, its task is stopped or settled.
    hurry = (body.key,) if case.withdrawn_at is not None and kind != UNPROVED else ()
    return Decision(stuck, events=(Outgoing(event),), hurry=hurry)


def settle(case: FulfillmentCase, body: TaskFinished, now: datetime) -> Decision[FulfillmentCase]:
    """Close one task and take over what it brought; what comes next is decided by `advance`."""
    case = case.model_copy(
        update={"open": _without(case.open, body.key), "stuck": _without(case.stuck, body.key)}
    )
    match body.key.partition(":")[0]:
        case "act" | planning.WAIT:
            return _acted(case, body, now)
        case "match":
            return Decision(case, keep=_seeds(body))
        case "package" if body.status == "done":
            reference = PackageReference.model_validate(body.result["package"])
            return Decision(case.model_copy(update={"package": reference}))
        case "join" if body.result.get("resolution") not in ending.ANSWERS_THE_SAME:
            # The first request did not do what this one asks for, so this one runs by itself.
            return Decision(case.model_copy(update={"duplicate_of": None, "stage": "waiting"}))
    return Decision(case)


def _acted(case: FulfillmentCase, body: TaskFinished, now: datetime) -> Decision[FulfillmentCase]:
    if vendors.is_to_be_told(case, body):
        return vendors.told(case, body)
    outcome = vendors.outcome(case, body) or _by_word(case, body) or _outcome(body)
    part = body.result.get("part_id")
    parts = (*case.parts, Part(system=outcome.system, part_id=UUID(part))) if part else case.parts
    # Kept in the order of names, so that the case does not depend on which system was faster.
    update = {
        "outcomes": tuple(sorted((*case.outcomes, outcome), key=lambda each: each.system)),
        "parts": tuple(sorted(parts, key=lambda each: each.system)),
    }
    return Decision(progress.done(case.model_copy(update=update), body.key, now))


def _by_word(case: FulfillmentCase, body: TaskFinished) -> SystemOutcome | None:
    """What a person said of it, unless the system's own word came after all."""
    word = case.word_on(body.key)
    if word is None or body.status == "done":
        return None
    return SystemOutcome(
        system=planning.system_of(body.key),
        outcome=word.outcome,
        receipt_digest=word.digest,
        evidence=word.evidence,
    )


def _outcome(body: TaskFinished) -> SystemOutcome:
    if body.status == "canceled" or "outcome" not in body.result:
        return SystemOutcome(system=planning.system_of(body.key), outcome="canceled")
    return SystemOutcome.model_validate(body.result["outcome"])


def _seeds(body: TaskFinished) -> tuple[Kept, ...]:
    """Found identifiers stay sealed: the task's result holds their sealed text only."""
    sealed = body.result.get("seeds")
    if not sealed:
        return ()
    return (Kept(f"seeds:{planning.system_of(body.key)}", body.task_id, "seeds", str(sealed)),)


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(each for each in keys if each != key)
