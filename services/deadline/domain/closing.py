"""A request closes when it was fulfilled and answered, whichever is heard first; then it is certified.

Everything that must have been stated before is waited for, so that the certificate names every lifecycle
event and is the same in whatever order they come.
"""

from datetime import date, datetime, timedelta
from typing import Final

from services.deadline.domain.case import (
    CERTIFICATE,
    Closing,
    DeadlineCase,
    Draft,
    Ending,
    Received,
    owed,
    regime_of,
)
from services.deadline.domain.certificate import certificate_payload
from services.deadline.domain.clocks import met_at
from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.grounds import BY_A_PERSON, kind_of
from shared.evidence import evidence_digest
from shared.machine.decision import Context, Outgoing, TaskPlan
from shared.policy import ask_again_from, key_kept_through
from shared.policy.dates import late_from, local_date

# How long an answer that came late waits for word of an extension that may have made it timely.
PATIENCE: Final = timedelta(days=1)
# Who was found nowhere has opted out as well: what comes later is not sold either.
OPTED_OUT: Final = frozenset({"complete", "partial", "nothing_found"})


def settle_closing(draft: Draft, context: Context) -> Draft:
    """Close once, when every fact is there."""
    case = draft.case
    received, ending = case.received, case.ending
    if case.closing is not None or received is None or ending is None:
        return draft
    answered_at = case.answered_at
    if answered_at is None or not _all_stated(case, ending) or _hold_until(case, context.now) is not None:
        return draft
    known = case.model_copy(update={"heads": {**case.heads, "deadline": context.audit_head}})
    closing = _closing(known, ending, answered_at, context.now)
    payload = certificate_payload(known, received, ending, closing)
    return _closed(
        draft,
        received,
        ending,
        closing.model_copy(update={"evidence_digest": evidence_digest(payload)}),
        payload,
    )


def next_times(case: DeadlineCase, now: datetime) -> list[datetime]:
    """When closing is to be looked at again."""
    if case.closing is not None:
        return []
    held = _hold_until(case, now)
    return [held] if held is not None else []


def _all_stated(case: DeadlineCase, ending: Ending) -> bool:
    """Whether what must have come before this ending was heard, our own DeadlineExtended included."""
    before = case.withdrawn_at if ending.resolution == "withdrawn" else case.verification
    # A person may deny what nobody has proved yet.
    alone = kind_of(ending.ground) in BY_A_PERSON
    extended = DeadlineExtended.declared.ce_type
    return (before is not None or alone) and (
        not case.extended or any(one.type == extended for one in case.events)
    )


def _hold_until(case: DeadlineCase, now: datetime) -> datetime | None:
    """Until when a late answer waits for the outcome of an extension; intake need not state one it drops."""
    respond_by = case.received.clocks.respond_by if case.received else None
    if not case.asks_extension or respond_by is None or (answered_at := case.answered_at) is None:
        return None
    until = respond_by.late_from + PATIENCE
    return until if answered_at >= respond_by.late_from and now < until else None


def _closing(case: DeadlineCase, ending: Ending, answered_at: datetime, now: datetime) -> Closing:
    received = case.received
    assert received is not None  # noqa: S101 - the caller has looked
    regime = regime_of(received)
    last_day = key_kept_through(regime, local_date(now, regime.zone), ending.resolution)
    return Closing(
        closed_at=now,
        answered_at=answered_at,
        in_time=_in_time(case, received),
        evidence_digest="",
        key_until=late_from(last_day, regime.zone),
    )


def _in_time(case: DeadlineCase, received: Received) -> bool:
    """Whether the answer kept its date; a right without one (opt_in) cannot be late."""
    dates = owed(received, extended=case.extended)
    met = {clock: met_at(case, clock) for clock in dates if clock != "acknowledge"}
    return all(at is not None and at < dates[clock].late_from for clock, at in met.items())


def _closed(draft: Draft, received: Received, ending: Ending, closing: Closing, payload: bytes) -> Draft:
    fact = RequestClosed(
        right=received.clocks.right,
        resolution=ending.resolution,
        closed_at=closing.closed_at,
        answered_at=closing.answered_at,
        in_time=closing.in_time,
        ask_again_from=_ask_again_from(received, ending, closing),
        evidence_digest=closing.evidence_digest,
        audit_head="",
    )
    plan = TaskPlan(
        key=CERTIFICATE,
        handler=CERTIFICATE,
        purpose="document",
        urgency=closing.closed_at,
        body={"payload": payload.decode()},
    )
    return Draft(
        _at_rest(draft.case, ending, closing),
        (*draft.events, Outgoing(fact)),
        draft.commands,
        (*draft.tasks, plan),
        closes=True,
    )


def _ask_again_from(received: Received, ending: Ending, closing: Closing) -> date | None:
    """From when the person may be asked to change their mind, counted from the day on which they were answered."""
    regime, right = regime_of(received), received.clocks.right
    if ending.resolution not in OPTED_OUT or right not in regime.rules.rights:
        return None
    return ask_again_from(regime, right, local_date(closing.answered_at, regime.zone))


def _at_rest(case: DeadlineCase, ending: Ending, closing: Closing) -> DeadlineCase:
    """What a closed case still decides on; the rest stands in the certificate."""
    return case.model_copy(
        update={
            "closing": closing,
            "ending": ending.model_copy(update={"systems": ()}),
            "verification": None,
            "extension": case.extension if case.extended else None,
            "warned": {},
            "events": (),
            "heads": {},
            "open_tasks": (*case.open_tasks, CERTIFICATE),
        }
    )
