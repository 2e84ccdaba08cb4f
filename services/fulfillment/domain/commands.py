"""What people may ask of fulfillment: try a task again, end one themselves, keep data, let it go.

Commands come in any order, so a hold may be released before it is heard of.
"""

from uuid import UUID

from services.fulfillment.domain import planning, vendors
from services.fulfillment.domain.case import FulfillmentCase, Word
from shared.events.commands import CompleteTask, DecideReview, DenyRequest, PlaceHold, ReleaseHold, RetryTask
from shared.events.fulfillment import HoldPlaced, HoldReleased
from shared.events.grounds import explained
from shared.machine.decision import Decision, Outgoing

ENDED = "already_ended"
UNKNOWN_TASK = "unknown_task"
NOT_FOR_A_PERSON = "not_for_a_person"
NO_EVIDENCE = "evidence_missing"
UNKNOWN_REQUEST = "unknown_request"
ALREADY_ACTING = "already_acting"
BEFORE_ACTING = frozenset({"waiting", "joining", "reviewing", "matching"})
NOTHING_TO_DECIDE = "nothing_to_decide"
DECIDED = "already_decided"


def retry_task(case: FulfillmentCase, body: RetryTask) -> Decision[FulfillmentCase]:
    """Look at an open task now; one that may have called out proves before it acts."""
    if body.task in case.later:
        stuck = tuple(key for key in case.stuck if key != body.task)
        return Decision(case.model_copy(update={"stuck": stuck}), hurry=(body.task,))
    if case.stage == "ended":
        return Decision(case, refusal=ENDED)
    if body.task not in case.open:
        return Decision(case, refusal=UNKNOWN_TASK)
    stuck = tuple(key for key in case.stuck if key != body.task)
    again = vendors.to_be_told_again(case, body.task)
    return Decision(again.model_copy(update={"stuck": stuck}), hurry=(body.task,))


def complete_task(case: FulfillmentCase, body: CompleteTask, digest: str) -> Decision[FulfillmentCase]:
    """End what waits for a person by what they found out: a vendor's silence, a system's doubtful call."""
    if case.stage == "ended":
        return Decision(case, refusal=ENDED)
    if body.task not in case.open:
        return Decision(case, refusal=UNKNOWN_TASK)
    if body.task not in case.stuck:
        return Decision(case, refusal=NOT_FOR_A_PERSON)
    if planning.is_wait(body.task):
        return Decision(vendors.settled_by_person(case, body, digest), hurry=(body.task,))
    return _complete_act(case, body, digest)


def _complete_act(case: FulfillmentCase, body: CompleteTask, digest: str) -> Decision[FulfillmentCase]:
    """A system's task ends on a person's word as soon as it is looked at; their signed command is its receipt.

    A copy that a system owes cannot be completed so: what it holds would be missing from the answer.
    """
    if body.outcome not in ("done", "nothing"):
        return Decision(case, refusal=NOT_FOR_A_PERSON)
    if not planning.is_act(body.task) or planning.right_of(body.task) in planning.KNOW:
        return Decision(case, refusal=NOT_FOR_A_PERSON)
    if body.evidence is None:
        return Decision(case, refusal=NO_EVIDENCE)
    word = Word(key=body.task, outcome=body.outcome, evidence=body.evidence, digest=digest)
    update = {
        "completed": (*case.completed, word),
        "stuck": tuple(key for key in case.stuck if key != body.task),
    }
    return Decision(case.model_copy(update=update), hurry=(body.task,))


def decide_review(case: FulfillmentCase, body: DecideReview) -> Decision[FulfillmentCase]:
    """What a person decided about a request that waits for it, once; it goes on, or ends as denied, at once."""
    if case.stage == "ended" or case.withdrawn_at is not None:
        return Decision(case, refusal=ENDED)
    if planning.REVIEW not in case.open or case.review is None:
        return Decision(case, refusal=NOTHING_TO_DECIDE)
    if case.review.decided is not None:
        return Decision(case, refusal=DECIDED)
    decided = case.review.model_copy(update={"decided": body.outcome, "reason": body.reason})
    stuck = tuple(key for key in case.stuck if key != planning.REVIEW)
    return Decision(case.model_copy(update={"review": decided, "stuck": stuck}), hurry=(planning.REVIEW,))


def deny_request(case: FulfillmentCase, body: DenyRequest) -> Decision[FulfillmentCase]:
    """End it as denied once nothing is open; where a system may have acted already that comes too late."""
    if case.asked is None:
        return Decision(case, refusal=UNKNOWN_REQUEST)
    if case.stage == "ended" or case.withdrawn_at is not None:
        return Decision(case, refusal=ENDED)
    if case.denial is not None:
        return Decision(case, refusal=DECIDED)
    if case.stage not in BEFORE_ACTING:
        return Decision(case, refusal=ALREADY_ACTING)
    denied = case.model_copy(update={"denial": explained(body.ground, body.reason), "stuck": ()})
    return Decision(denied, hurry=case.open)


def place_hold(case: FulfillmentCase, body: PlaceHold) -> Decision[FulfillmentCase]:
    """No destruction starts from now on; what was already called is settled, and known to be done or not."""
    if case.stage == "ended":
        return Decision(case, refusal=ENDED)
    placed = case.model_copy(update={"placed_holds": _with(case.placed_holds, body.hold_id)})
    begins = placed.is_held_by(body.hold_id) and not case.is_held_by(body.hold_id)
    return Decision(placed, events=(Outgoing(HoldPlaced(hold_id=body.hold_id)),) if begins else ())


def release_hold(case: FulfillmentCase, body: ReleaseHold) -> Decision[FulfillmentCase]:
    """What waited for the last hold goes on at once."""
    if case.stage == "ended":
        return Decision(case, refusal=ENDED)
    released = case.model_copy(update={"released_holds": _with(case.released_holds, body.hold_id)})
    goes_on = case.is_held and not released.is_held
    return Decision(
        released,
        events=(Outgoing(HoldReleased(hold_id=body.hold_id)),) if case.is_held_by(body.hold_id) else (),
        hurry=tuple(key for key in case.open if key not in case.stuck) if goes_on else (),
    )


def _with(ids: tuple[UUID, ...], one: UUID) -> tuple[UUID, ...]:
    return tuple(sorted({*ids, one}))
