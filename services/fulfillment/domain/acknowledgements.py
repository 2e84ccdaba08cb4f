"""What vendors say: believed only of their own directives, in order, once, and in time.

Whatever is wrong is refused with its reason and moves nothing. That a request has ended says more than anything
else about it, so a stranger learns no more than that.
"""

from typing import Final, TypeAlias

from services.fulfillment.domain.case import Directive, FulfillmentCase
from services.fulfillment.domain.planning import WAIT
from shared.events.topics import ACKNOWLEDGEMENTS
from shared.events.vendors import DirectiveCompleted, DirectiveReceived, DirectiveRefused
from shared.machine.decision import Context, Decision, Message

Acknowledgement: TypeAlias = DirectiveReceived | DirectiveCompleted | DirectiveRefused

ANOTHER_VENDOR: Final = "another_vendor"
SIGNATURE: Final = "signature_invalid"
ENDED: Final = "already_ended"
UNKNOWN: Final = "unknown_directive"
NOT_ITS_DIRECTIVE: Final = "another_vendors_directive"
TWICE: Final = "already_received"
SETTLED: Final = "already_settled"
REFUSED: Final = "already_refused"
LATE: Final = "late"
OUT_OF_ORDER: Final = "out_of_order"


def received(
    case: FulfillmentCase, body: DirectiveReceived, message: Message, context: Context
) -> Decision[FulfillmentCase]:
    """The vendor has it: from now on only the outcome is owed."""
    judged = _judged(case, body, message)
    if isinstance(judged, str):
        return Decision(case, refusal=judged)
    if judged.received_at is not None:
        return Decision(case, refusal=TWICE)
    # Our own time: the vendor's is what it says.
    return Decision(case.with_directive(judged.model_copy(update={"received_at": context.now})))


def completed(
    case: FulfillmentCase, body: DirectiveCompleted, message: Message, context: Context
) -> Decision[FulfillmentCase]:
    """The vendor did it; the record's digest is its receipt."""
    del context
    judged = _judged_outcome(case, body, message)
    if isinstance(judged, str):
        return Decision(case, refusal=judged)
    settled = "done" if body.held else "nothing"
    update = {"settled": settled, "refused": None, "digest": message.digest}
    return Decision(case.with_directive(judged.model_copy(update=update)), hurry=_waiting(case, judged))


def refused(
    case: FulfillmentCase, body: DirectiveRefused, message: Message, context: Context
) -> Decision[FulfillmentCase]:
    """The vendor will not: its task looks at that now, and becomes a person's."""
    del context
    judged = _judged_outcome(case, body, message)
    if isinstance(judged, str):
        return Decision(case, refusal=judged)
    if judged.refused is not None:
        return Decision(case, refusal=REFUSED)
    update = {"refused": body.reason, "again": False}
    return Decision(case.with_directive(judged.model_copy(update=update)), hurry=_waiting(case, judged))


def _judged_outcome(case: FulfillmentCase, body: Acknowledgement, message: Message) -> Directive | str:
    judged = _judged(case, body, message)
    if isinstance(judged, str) or judged.received_at is not None:
        return judged
    return OUT_OF_ORDER


def _judged(case: FulfillmentCase, body: Acknowledgement, message: Message) -> Directive | str:
    """The directive that is spoken of, or the first reason not to listen."""
    vendor = ACKNOWLEDGEMENTS.vendor_in(message.topic)
    if message.source != f"vendor/{vendor}":
        return ANOTHER_VENDOR
    if message.facts is not True:
        return SIGNATURE
    if case.stage == "ended" or case.closed_at is not None:
        return ENDED
    directive = next((one for one in case.directives if one.id == body.directive_id), None)
    if directive is None:
        return UNKNOWN
    return _its_own(directive, vendor)


def _its_own(directive: Directive, vendor: str | None) -> Directive | str:
    if directive.vendor != vendor:
        return NOT_ITS_DIRECTIVE
    if directive.settled is not None:
        return LATE if directive.by_person else SETTLED
    return directive


def _waiting(case: FulfillmentCase, directive: Directive) -> tuple[str, ...]:
    before = f"{WAIT}:{directive.vendor}:"
    return tuple(key for key in case.open if key.startswith(before))
