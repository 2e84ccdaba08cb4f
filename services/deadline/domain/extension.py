"""The once-only extension: asked for by a person, effective when its notice was handed over in time.

Civ. Code 1798.130(a)(2)(A), 11 CCR 7021(b). What counts is the instant at which the notice was handed over,
not the one at which we hear of it.
"""

from collections.abc import Mapping
from datetime import datetime

from services.deadline.domain.case import (
    DeadlineCase,
    Draft,
    Extension,
    Notice,
    Received,
    regime_of,
)
from shared.events.commands import ExtendDeadline, SendNotice
from shared.events.deadline import DeadlineExtended, DeadlineMissWithdrawn
from shared.machine.decision import Outgoing
from shared.policy import Clocks, by_todays_zone, extension_refusal
from shared.privacy.claims import Language

ReasonsIn = Mapping[Language, tuple[str, ...]]
"""The reasons in other languages than the one that is kept."""


def ask(case: DeadlineCase, command: ExtendDeadline, now: datetime) -> Draft:
    """Have the notice sent, or say why the date stays where it is."""
    received = case.received
    refusal = _refusal(case, received, command, now)
    if refusal is not None or received is None:
        return Draft(case, refusal=refusal)
    return having_sent(case, received, command.reasons, command.reasons_in)


def having_sent(
    case: DeadlineCase, received: Received, reasons: tuple[str, ...], reasons_in: ReasonsIn
) -> Draft:
    """Have intake send the notice, which it does not do after the first date has passed."""
    clocks = _clocks(received)
    notice = SendNotice(
        kind="extension",
        reasons=reasons,
        reasons_in=reasons_in,
        send_by=clocks.respond_by.late_from if clocks.respond_by else None,
        due=clocks.extend_to,
    )
    asked = case.model_copy(update={"extension": Extension(reasons=reasons)})
    return Draft(asked, commands=(Outgoing(notice),))


def did_not_happen(case: DeadlineCase) -> DeadlineCase:
    """Forget an extension whose notice did not go out; another may be asked for while there is time."""
    return case.model_copy(update={"extension": None}) if case.asks_extension else case


def is_left_to_a_person(case: DeadlineCase) -> DeadlineCase:
    """No mail could take the notice: it counts if somebody posts it in time, and another may be asked for."""
    if case.extension is None or not case.asks_extension:
        return case
    left = case.extension.model_copy(update={"by_hand": True})
    return case.model_copy(update={"extension": left})


def settle_extension(draft: Draft) -> Draft:
    """Move the date when the notice is known to have been handed over before the first one had passed."""
    case = draft.case
    received, extension = case.received, case.extension
    if received is None or extension is None or extension.told_at or case.closing is not None:
        return draft
    notice = next((one for one in case.notices if one.kind == "extension"), None)
    if notice is None:
        return draft
    if not _in_time(received, notice, extension):
        return draft.then(did_not_happen(case))
    return _extended(draft, received, extension, notice)


def _extended(draft: Draft, received: Received, extension: Extension, notice: Notice) -> Draft:
    case = draft.case
    told = extension.model_copy(update={"told_at": notice.at})
    # The answer's warnings begin again on the later date.
    warned = {clock: rung for clock, rung in case.warned.items() if clock == "acknowledge"}
    missed = tuple(clock for clock in case.missed if clock != "respond")
    moved = case.model_copy(update={"extension": told, "warned": warned, "missed": missed})
    due = received.clocks.due(extended=True)
    assert due is not None  # noqa: S101 - `_in_time` found that the right has an extension
    fact = DeadlineExtended(
        respond_by=due, reasons=extension.reasons, notice_handed_over_at=notice.at, audit_head=""
    )
    # A miss of the first date was stated too early: its notice had been handed over before.
    withdrawn = DeadlineMissWithdrawn(clock="respond", handed_over_at=notice.at)
    taken_back = (Outgoing(withdrawn),) if missed != case.missed else ()
    return draft.then(moved, Outgoing(fact), *taken_back)


def _clocks(received: Received) -> Clocks:
    """The dates with the end of the first period as it is judged today."""
    due = received.clocks.respond_by
    if due is None:
        return received.clocks
    ends = by_todays_zone(regime_of(received), due)
    return received.clocks if ends == due else received.clocks.model_copy(update={"respond_by": ends})


def _in_time(received: Received, notice: Notice, extension: Extension) -> bool:
    refusal = extension_refusal(_clocks(received), handed_over_at=notice.at, reasons=extension.reasons)
    return refusal is None


def _refusal(
    case: DeadlineCase, received: Received | None, command: ExtendDeadline, now: datetime
) -> str | None:
    if received is None:
        return "unknown_request"
    by_law = extension_refusal(
        _clocks(received),
        handed_over_at=now,
        reasons=command.reasons,
        already_extended=case.extended,
        closed=case.closing is not None,
    )
    if by_law is not None:
        return str(by_law)
    reasons = (
        ("withdrawn", case.withdrawn_at is not None),
        ("fulfilled", case.ending is not None or case.answered_at is not None),
        ("extension_pending", case.asks_extension),
    )
    return next((reason for reason, applies in reasons if applies), None)
