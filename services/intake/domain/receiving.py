"""A submission becomes a request, once; the statutory clock starts with what it says of its receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.intake.domain import linking
from services.intake.domain.case import ACKNOWLEDGEMENT, IntakeCase
from services.intake.domain.hearing import Heard, Verdict, refused, unchanged
from services.intake.domain.letter import letter
from services.intake.domain.planning import Planned, plan_answer, plan_notice
from services.intake.messages import SubmitRequest
from services.intake.submission import KNOW, KNOW_REACHES_TO, Problem, Submission
from shared.events.intake import RequestReceived, SubmissionRefused
from shared.machine.decision import Decision, Kept, Message, Outgoing
from shared.policy import Clocks, DateOutOfRangeError, Regime, Right, RightNotOfferedError, compute_clocks
from shared.policy.dates import corresponding_date
from shared.privacy import Claims

OLDEST = timedelta(days=45)
SKEW = timedelta(minutes=5)
# Channels that offer no choice of how far back to look are answered from the first day (11 CCR 7020(e)).
WITHOUT_A_CHOICE = frozenset({"phone", "mail", "store"})


@dataclass(frozen=True, slots=True)
class _Judged:
    """A submission that can become a request: under which law, by which clocks, since when."""

    submission: Submission
    clocks: Clocks
    received_at: datetime


def submitted_here(case: IntakeCase, heard: Heard) -> Verdict:
    """A submission over HTTP: repeated with the same key and content it is the same request."""
    body = heard.message.body
    if not isinstance(body, SubmitRequest):
        raise TypeError
    submission: Submission = heard.message.facts or body.submission
    if case.received_at is not None:
        appeal = submission.follows is not None and submission.follows.kind == "appeal"
        return _repeated(case, submission, "already_appealed" if appeal else "idempotency_key_reused")
    found = _receive(case, heard, submission)
    return refused(case, found.reason) if isinstance(found, Problem) else found


def submitted_upstream(case: IntakeCase, heard: Heard) -> Verdict:
    """A submission from a topic; what is wrong with it becomes a fact that its sender can read."""
    submission: Submission | Problem = heard.message.facts
    if isinstance(submission, Problem):
        return _refuse(case, heard, submission)
    if case.received_at is not None and not case.fingerprint:
        return _known_again(case, heard, submission)
    if case.received_at is not None:
        return _repeated(case, submission, "submission_id_reused")
    found = _receive(case, heard, submission)
    return _refuse(case, heard, found) if isinstance(found, Problem) else found


def read_back(case: IntakeCase, heard: Heard) -> Verdict:
    """Our own statement, which only a restore that lost the submission brings back: the request goes on."""
    body = heard.message.body
    if not isinstance(body, RequestReceived):
        raise TypeError
    if case.received_at is not None:
        return unchanged(case)
    names = ("business", "regime", "right", "requester", "channel", "received_at", "clocks", "linked")
    acknowledged = _acknowledge(case.model_copy(update={name: getattr(body, name) for name in names}))
    answered = plan_answer(acknowledged.case, heard.context.now)
    kept = Kept("claims", heard.message.id, "claims", body.claims)
    return Decision(answered.case, tasks=acknowledged.tasks + answered.tasks, keep=(kept,))


def _known_again(case: IntakeCase, heard: Heard, submission: Submission) -> Verdict:
    """The submission of a request that was read back; its id already says that it is from the same source."""
    known = {"source": heard.message.source, "fingerprint": submission.fingerprints[0]}
    return unchanged(case.model_copy(update=known))


def _repeated(case: IntakeCase, submission: Submission, word: str) -> Verdict:
    return unchanged(case) if case.fingerprint in submission.fingerprints else refused(case, word)


def _refuse(case: IntakeCase, heard: Heard, problem: Problem) -> Verdict:
    """State the refusal; a later, mended submission under the same id is still taken."""
    fact = SubmissionRefused(
        submission_source=heard.message.source,
        reason=problem.reason,
        field=problem.field,
        remedy=problem.remedy,
    )
    return Decision(case.model_copy(update={"refused": problem.reason}), events=(Outgoing(fact),))


def appealed_by(message: Message, regimes: Mapping[str, Regime], now: datetime) -> UUID | None:
    """Whose answer a message appeals against, if nothing else is wrong with it; our own statements count too."""
    body = message.body
    if isinstance(body, RequestReceived):
        return body.linked.request_id if body.linked and body.linked.kind == "appeal" else None
    found = message.facts
    if not isinstance(found, Submission) or found.follows is None or found.follows.kind != "appeal":
        return None
    return None if isinstance(_judged(found, regimes, now), Problem) else found.follows.request_id


def _receive(case: IntakeCase, heard: Heard, submission: Submission) -> Verdict | Problem:
    found = _judged(submission, heard.regimes, heard.context.now)
    if isinstance(found, Problem):
        return found
    if heard.context.facts is not None:
        return linking.ALREADY_APPEALED
    return _taken_in(case, heard, found)


def _judged(submission: Submission, regimes: Mapping[str, Regime], now: datetime) -> _Judged | Problem:
    received_at = _received_at(submission, now)
    if isinstance(received_at, Problem):
        return received_at
    followed = linking.followed(submission, regimes, received_at)
    if isinstance(followed, Problem):
        return followed
    clocks = _clocks(regimes[followed.regime], followed.right, received_at)
    return clocks if isinstance(clocks, Problem) else _Judged(followed, clocks, received_at)


def _taken_in(case: IntakeCase, heard: Heard, found: _Judged) -> Verdict:
    received = _received(case, heard, found)
    acknowledged = _acknowledge(received)
    answered = plan_answer(acknowledged.case, heard.context.now)
    return Decision(
        answered.case,
        events=(_fact(received, found.submission, found.clocks),),
        tasks=acknowledged.tasks + answered.tasks,
    )


def _received_at(submission: Submission, now: datetime) -> datetime | Problem:
    """When the clock starts: when the upstream channel took it in, else now (11 CCR 7021(b))."""
    claimed = submission.received_at or now
    if claimed > now + SKEW:
        return Problem("received_in_future", "received_at", "give the time at which your channel took it in")
    if claimed < now - OLDEST:
        return Problem(
            "received_too_long_ago",
            "received_at",
            f"it is more than {OLDEST.days} days old; hand it to the privacy staff by hand",
        )
    return min(claimed, now)


def _clocks(regime: Regime, right: Right, received_at: datetime) -> Clocks | Problem:
    try:
        return compute_clocks(regime, right, received_at)
    except (RightNotOfferedError, DateOutOfRangeError):
        return right_not_offered(regime, received_at)


def right_not_offered(regime: Regime, received_at: datetime) -> Problem:
    """Name the rights that can be asked for on that day."""
    day = received_at.astimezone(regime.zone).date()
    return Problem(
        "right_not_offered", "right", f"ask for one of {', '.join(regime.offered_rights(day))} in {regime.id}"
    )


def _received(case: IntakeCase, heard: Heard, found: _Judged) -> IntakeCase:
    submission = found.submission
    return case.model_copy(
        update={
            "business": submission.business,
            "regime": submission.regime,
            "right": submission.right,
            "requester": submission.requester,
            "channel": submission.channel,
            "source": heard.message.source,
            "fingerprint": submission.fingerprints[0],
            "refused": None,
            "received_at": found.received_at,
            "clocks": found.clocks,
            "linked": linking.linked_to(submission),
        }
    )


def _acknowledge(case: IntakeCase) -> Planned:
    """Confirm receipt where the right asks for it (11 CCR 7021(a)); an opt-out is simply done."""
    if case.clocks is None or case.clocks.acknowledge_by is None:
        return Planned(case)
    note = letter(case, "acknowledgement")
    return plan_notice(case, ACKNOWLEDGEMENT, note, urgency=case.clocks.acknowledge_by.late_from)


def _fact(case: IntakeCase, submission: Submission, clocks: Clocks) -> Outgoing:
    plaintext = {"claims": _covering(submission, clocks).to_bytes()}
    if submission.assertion is not None:
        plaintext["assertion"] = submission.assertion.encode()
    fact = RequestReceived(
        business=submission.business,
        regime=submission.regime,
        policy_version=clocks.policy_version,
        right=submission.right,
        requester=submission.requester,
        channel=submission.channel,
        received_at=case.received_at,
        clocks=clocks,
        claims="",
        assertion=None if submission.assertion is None else "",
        linked=case.linked,
        audit_head="",
    )
    return Outgoing(fact, seal=plaintext, keep={"claims": "claims"})


def _covering(submission: Submission, clocks: Clocks) -> Claims:
    """State the days that an answer to `know` covers: as chosen, else twelve months (11 CCR 7024(h))."""
    claims = submission.claims
    if submission.right not in KNOW or claims.collected_from is not None:
        return claims
    a_year_before = max(corresponding_date(clocks.received_on, -12), KNOW_REACHES_TO)
    first = KNOW_REACHES_TO if submission.channel in WITHOUT_A_CHOICE else a_year_before
    return claims.model_copy(update={"collected_from": first})
