"""The domain itself: which message means what, and when the case wants to be woken."""

from collections.abc import Callable, Mapping
from uuid import UUID

from services.verification.domain import assertion, challenge
from services.verification.domain.case import Asked, Draft, VerificationCase, needed_degree
from services.verification.domain.conclusion import conclude_if_late, conclude_if_proved
from services.verification.domain.findings import NOTHING, AssertionFound, Findings
from services.verification.domain.limits import Limits
from shared.events.commands import AnswerChallenge, PresentAssertion
from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.intake import RequestReceived, RequestWithdrawn
from shared.events.message import Body
from shared.machine.decision import Context, Decision, Go, Message, Stop, Wait
from shared.policy import Degree
from shared.privacy import HmacKeyring

Heard = Callable[[VerificationCase, Message, Context], Draft]
# Only for these did prepare.py open the request's key: no other message, and no wake-up, can seal a code.
SEALABLE = (RequestReceived, AnswerChallenge, PresentAssertion)


class VerificationDomain:
    """Pure rules; `keyring` keys the codes' hashes, so that a stolen table gives no code away."""

    name = "verification"
    case_type = VerificationCase

    def __init__(self, keyring: HmacKeyring, limits: Limits | None = None) -> None:
        self._keyring = keyring
        self._limits = limits or Limits()
        self._table: Mapping[type[Body], Heard] = {
            RequestReceived: self._received,
            RequestWithdrawn: lambda case, _message, _context: _ended(case, "withdrawn"),
            RequestClosed: lambda case, _message, _context: _ended(case, "closed"),
            DeadlineExtended: _extended,
            AnswerChallenge: self._answered,
            PresentAssertion: self._presented,
        }

    def open(self, request_id: UUID) -> VerificationCase:
        """A case that has heard nothing."""
        return VerificationCase()

    def decide(
        self, case: VerificationCase, message: Message, context: Context
    ) -> Decision[VerificationCase]:
        """Take a proof or a fact in, then see whether that ends it."""
        hear = self._table.get(type(message.body))
        if hear is None:
            return _decision(Draft(case))
        refusal = _refusal(case) if message.kind == "command" else None
        draft = Draft(case, refusal=refusal) if refusal else hear(case, message, context)
        if draft.refusal is None:
            draft = conclude_if_late(conclude_if_proved(draft, context), context)
        if draft.refusal is None and isinstance(message.body, SEALABLE):
            draft = self._challenged(draft, context)
        return _decision(draft, closes=isinstance(message.body, RequestClosed))

    def wake(self, case: VerificationCase, context: Context) -> Decision[VerificationCase]:
        """The day has come on which the answer needs the time that is left."""
        return _decision(conclude_if_late(Draft(case), context))

    def permit(self, case: VerificationCase, key: str, purpose: str, context: Context) -> Go | Stop | Wait:
        """Verification plans no tasks."""
        return Stop("unknown_task")

    def _received(self, case: VerificationCase, message: Message, context: Context) -> Draft:
        body = message.body
        assert isinstance(body, RequestReceived)  # noqa: S101 - narrows
        if case.asked is not None:
            return Draft(case)
        asked = Asked.of(body.business, body.regime, body.clocks)
        found = _findings(message)
        update = {
            "asked": asked,
            "subject_hash": found.claims.subject_hash if found.claims else None,
            "fault": found.claims.fault if found.claims else "claims_unreadable",
            "presented": None,
        }
        draft = Draft(case.model_copy(update=update))
        if needed_degree(asked) is Degree.NONE:
            return draft
        for proof in filter(None, (found.assertion, case.presented)):
            draft = assertion.judge(draft, proof, self._limits)
        return draft

    def _presented(self, case: VerificationCase, message: Message, context: Context) -> Draft:
        if case.assertions_refused >= self._limits.assertions:
            return Draft(case, refusal="too_many_attempts")
        found = _findings(message).assertion or AssertionFound(refused="unreadable")
        if case.asked is None:
            return Draft(case.model_copy(update={"presented": found}))
        return assertion.judge(Draft(case), found, self._limits)

    def _answered(self, case: VerificationCase, message: Message, context: Context) -> Draft:
        sent = case.challenge
        if sent is None:
            return Draft(case, refusal="no_challenge")
        if case.reached is not Degree.NONE:
            return Draft(case, refusal="already_answered")
        # What counts is when it was typed, not how long a topic or a restart kept it.
        answered_at = min(message.at, context.now)
        if not sent.lives(answered_at) and case.challenges >= self._limits.challenges:
            return Draft(case, refusal="too_many_attempts")
        code = _findings(message).code
        if sent.lives(answered_at) and code is not None and challenge.matches(sent, code, self._keyring):
            return Draft(case.having_proved(Degree.REASONABLE, "email_code"))
        return challenge.failed(Draft(case), sent, answered_at)

    def _challenged(self, draft: Draft, context: Context) -> Draft:
        """Send a code where a proof is still wanted, none is under way and one can reach the person."""
        case = draft.case
        if case.asked is None or case.is_over or case.subject_hash is None or case.reached is not Degree.NONE:
            return draft
        waits = case.challenge is not None and case.challenge.lives(context.now)
        if waits or case.challenges >= self._limits.challenges:
            return draft
        return challenge.issue(draft, context, self._keyring, self._limits)


def _ended(case: VerificationCase, how: str) -> Draft:
    """Nothing more to do; proofs that nobody needs are forgotten."""
    return Draft(case.model_copy(update={how: True, "challenge": None, "presented": None}))


def _extended(case: VerificationCase, message: Message, context: Context) -> Draft:  # noqa: ARG001 - as the table has it
    assert isinstance(message.body, DeadlineExtended)  # noqa: S101 - narrows
    return Draft(case.model_copy(update={"extended_to": message.body.respond_by}))


def _refusal(case: VerificationCase) -> str | None:
    """Why no proof is taken any more."""
    if case.closed:
        return "closed"
    if case.withdrawn:
        return "withdrawn"
    return "already_concluded" if case.concluded is not None else None


def _findings(message: Message) -> Findings:
    return message.facts if isinstance(message.facts, Findings) else NOTHING


def _decision(draft: Draft, *, closes: bool = False) -> Decision[VerificationCase]:
    return Decision(
        draft.case,
        events=draft.events,
        commands=draft.commands,
        wake_at=draft.case.wake_at,
        refusal=draft.refusal,
        closes=closes,
    )
