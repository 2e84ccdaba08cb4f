"""How a request ends: what the systems' outcomes add up to, and the one event that says so."""

from datetime import datetime

from services.fulfillment.domain import vendors
from services.fulfillment.domain.case import FulfillmentCase
from shared.events.fulfillment import RequestFulfilled, Resolution, SystemOutcome
from shared.machine.decision import Outgoing

IDENTITY_NOT_VERIFIED = "identity_not_verified"
EXEMPTION = "exemption"
NOT_DONE = "not_done"
VENDOR_NOT_DONE = "vendor_not_done"
# A first request that ended like this has done what the later one asks for.
ANSWERS_THE_SAME = frozenset({"complete", "partial", "nothing_found"})


def resolution_of(case: FulfillmentCase) -> tuple[Resolution, str | None]:
    """What the outcomes of all systems add up to, and the ground where that is not all that was asked.

    - `nothing_found`: no system held anything (or the business has no system that the right concerns).
    - `partial`: something was retained under an exemption, or is also another person's (Civ. Code
      1798.105(d), 1798.145(k); told as 11 CCR 7022(f) asks), or a system's task was canceled undone.
    - `complete`: everything found was done and nothing was retained. Values that 11 CCR 7024(d) forbids to
      show are described in the answer and do not make it partial.

    A system that needs a person keeps the request open: it is never answered around.
    """
    done = [outcome for outcome in case.outcomes if outcome.outcome == "done"]
    undone = {outcome.system for outcome in case.outcomes if outcome.outcome == "canceled"}
    if undone:
        return "partial", VENDOR_NOT_DONE if undone <= {one.vendor for one in case.directives} else NOT_DONE
    if any(outcome.retained for outcome in done):
        return "partial", EXEMPTION
    return ("complete", None) if done else ("nothing_found", None)


def end(
    case: FulfillmentCase,
    how: tuple[Resolution, str | None],
    systems: tuple[SystemOutcome, ...],
    now: datetime,
) -> tuple[FulfillmentCase, Outgoing]:
    """End the request, once: the caller has made sure that nothing is open. `systems` have their titles."""
    right, (resolution, ground) = case.right, how
    assert right is not None and not case.open  # noqa: S101, PT018 - one RequestFulfilled, with no task open
    ended = case.model_copy(
        update={"stage": "ended", "resolution": resolution, "parts": (), "directives": ()}
    )
    body = RequestFulfilled(
        business=case.business,
        right=right,
        resolution=resolution,
        ground=ground,
        systems=systems,
        vendors=vendors.all_told(case),
        package=case.package,
        duplicate_of=case.duplicate_of if resolution == "duplicate" else None,
        fulfilled_at=now,
        audit_head="",
    )
    return ended, Outgoing(body)
