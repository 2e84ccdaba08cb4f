"""Standing holds: duties to keep what is held on a person, in a system or of a category, whoever asks for deletion.

Each is a case of its own, under its own id. Which of them are in force is found in the transaction that is about to
commit a call, where the domain judges what they cover: destruction, and nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from services.fulfillment.domain import planning
from services.fulfillment.domain.case import FulfillmentCase
from services.fulfillment.domain.catalogue import Catalogue
from shared.events.commands import PlaceStandingHold, ReleaseStandingHold
from shared.events.fulfillment import HoldPlaced, HoldReleased
from shared.machine.decision import Decision, Message, Outgoing

NOT_A_HOLD = "not_a_hold"
UNKNOWN = {"person": "unknown_business", "system": "unknown_system", "category": "unknown_category"}


@dataclass(frozen=True, slots=True)
class StandingHold:
    """One in force: of a person only where the task is about them; `name` is the system's or the category's."""

    scope: Literal["person", "system", "category"]
    business: str
    name: str | None = None


def place(
    case: FulfillmentCase, body: PlaceStandingHold, message: Message, catalogue: Catalogue
) -> Decision[FulfillmentCase]:
    """No destruction that it covers starts from now on; a name that nothing has would keep nothing."""
    if case.asked is not None:
        return Decision(case, refusal=NOT_A_HOLD)
    if not catalogue.knows(body.business, system=body.name if body.scope == "system" else None) or (
        body.scope == "category" and not catalogue.holds_category(body.business, str(body.name))
    ):
        return Decision(case, refusal=UNKNOWN[body.scope])
    if case.standing is not None:
        return Decision(case)
    placed = Outgoing(HoldPlaced(hold_id=message.request_id))
    return Decision(case.model_copy(update={"standing": "placed"}), events=(placed,))


def release(case: FulfillmentCase, body: ReleaseStandingHold, message: Message) -> Decision[FulfillmentCase]:
    """What waited for it goes on; one that is released before it is heard of never comes into force."""
    del body
    if case.asked is not None:
        return Decision(case, refusal=NOT_A_HOLD)
    released = case.model_copy(update={"standing": "released"})
    over = (Outgoing(HoldReleased(hold_id=message.request_id)),) if case.standing == "placed" else ()
    return Decision(released, events=over, closes=case.standing == "placed")


def cover(
    standing: Iterable[StandingHold] | None, case: FulfillmentCase, key: str, catalogue: Catalogue
) -> bool:
    """Whether one of these keeps what a task would destroy."""
    system = planning.system_of(key)
    return any(
        hold.business == case.business
        and (
            hold.scope == "person"
            or (hold.scope == "system" and hold.name == system)
            or (hold.scope == "category" and catalogue.may_hold(case.business, system, str(hold.name)))
        )
        for hold in standing or ()
    )
