"""What a vendor is told, and how long its silence is borne: reminders first, then a person.

A directive leaves in the transaction that ends its task, so it is told exactly as often as the case knows.
"""

from collections.abc import Mapping
from datetime import datetime

from services.fulfillment.domain import planning
from services.fulfillment.domain.case import Directive, FulfillmentCase
from shared.events.commands import CompleteTask
from shared.events.fulfillment import SystemOutcome, VendorTold
from shared.events.vendors import CorrectionDirective, DeletionDirective, OptOutDirective
from shared.machine.decision import Decision, Go, Outgoing, Stop, TaskFinished, Wait
from shared.policy.rights import Right

KINDS: Mapping[Right, type[DeletionDirective | CorrectionDirective]] = {
    Right.DELETE: DeletionDirective,
    Right.CORRECT: CorrectionDirective,
}


def is_to_be_told(case: FulfillmentCase, body: TaskFinished) -> bool:
    """Whether a task composed something that may still be sent: the vendor's word may have come meanwhile."""
    known = case.directive_to(planning.system_of(body.key))
    answered = known is not None and known.settled is not None
    return "directive" in body.result and case.withdrawn_at is None and not answered


def told(case: FulfillmentCase, body: TaskFinished) -> Decision[FulfillmentCase]:
    """Send what the task composed, and wait for the vendor's word."""
    vendor, right = planning.system_of(body.key), planning.right_of(body.key)
    known, stated = case.directive_to(vendor), body.result["directive"]
    directive = Directive.model_validate({**stated["state"], "vendor": vendor})
    if known is not None:
        directive = directive.model_copy(update={"received_at": known.received_at})
    event = KINDS.get(right, OptOutDirective)(
        directive_id=directive.id,
        vendor=vendor,
        message=directive.messages,
        receipt_by=directive.receipt_by,
        due_at=directive.due_at,
        letter=stated["letter"],
    )
    waiting, _, plans = planning.plan_wait(case.with_directive(directive), directive, right)
    return Decision(waiting, events=(Outgoing(event, to=vendor),), tasks=plans)


def still_waits(case: FulfillmentCase, key: str, now: datetime) -> Go | Stop | Wait | None:
    """Whether a task that waits for a vendor must wait on, or has nothing to wait for; None where it may speak."""
    directive = case.directive_to(planning.system_of(key)) if planning.is_wait(key) else None
    if directive is None:
        return None
    if directive.settled is not None:
        return Stop("settled")
    if directive.again or now >= directive.next_look:
        return None
    return Go() if directive.refused else Wait(directive.next_look, "vendor")


def outcome(case: FulfillmentCase, body: TaskFinished) -> SystemOutcome | None:
    """How the wait for a vendor ended, by its word or a person's; None where neither was given."""
    vendor = planning.system_of(body.key)
    directive = case.directive_to(vendor)
    if directive is None or directive.settled is None:
        return None
    return SystemOutcome(
        system=vendor,
        outcome=directive.settled if directive.settled in ("done", "nothing") else "canceled",
        receipt_digest=directive.digest,
        evidence=directive.evidence,
    )


def all_told(case: FulfillmentCase) -> tuple[VendorTold, ...]:
    """Every vendor that was told, as the answer names it."""
    return tuple(
        VendorTold(
            vendor=one.vendor,
            title=one.title or one.vendor,
            outcome=one.settled or "canceled",
            facts=one.facts,
        )
        for one in case.directives
    )


def to_be_told_again(case: FulfillmentCase, key: str) -> FulfillmentCase:
    """A person asks once more; whatever the vendor refused, it is told anew."""
    directive = case.directive_to(planning.system_of(key)) if planning.is_wait(key) else None
    if directive is None:
        return case
    return case.with_directive(directive.model_copy(update={"again": True, "refused": None}))


def settled_by_person(case: FulfillmentCase, body: CompleteTask, digest: str) -> FulfillmentCase:
    """What a person found out in place of the vendor's word; the command's digest stands for the evidence."""
    directive = case.directive_to(planning.system_of(body.task))
    assert directive is not None  # noqa: S101 - the caller asked for a task that waits for one
    told = {"settled": body.outcome, "by_person": True, "digest": digest, "evidence": body.evidence}
    facts = None if body.outcome in ("done", "nothing") else body.reason
    return case.with_directive(directive.model_copy(update={**told, "facts": facts}))
