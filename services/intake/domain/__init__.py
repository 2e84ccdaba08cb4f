"""Intake's rules: pure functions from a case and a message to a decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.intake.domain import (
    collecting,
    following,
    handing_over,
    notifying,
    proving,
    receiving,
    withdrawing,
)
from services.intake.domain.case import IntakeCase
from services.intake.domain.hearing import Heard, Rule, Verdict, unchanged
from services.intake.domain.letter import Letter
from services.intake.messages import (
    ConfirmCollecting,
    PresentProof,
    SendCollectingCode,
    SubmitRequest,
    UseLink,
    WithdrawRequest,
)
from shared.events.commands import (
    RecordHandover,
    RequestSubmitted,
    SendNotice,
    Withdraw,
    WithdrawalSubmitted,
)
from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.fulfillment import RequestFulfilled
from shared.events.intake import RequestReceived, RequestWithdrawn
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from shared.machine.decision import Context, Go, Message, Stop, TaskFinished
from shared.policy import Regime

__all__ = ["IntakeCase", "IntakeDomain", "Letter"]

RULES: Final[Mapping[type[Body], Rule]] = {
    SubmitRequest: receiving.submitted_here,
    RequestSubmitted: receiving.submitted_upstream,
    WithdrawRequest: withdrawing.withdrawn,
    Withdraw: withdrawing.withdrawn,
    WithdrawalSubmitted: withdrawing.withdrawn_upstream,
    PresentProof: proving.presented,
    SendCollectingCode: collecting.code_asked,
    ConfirmCollecting: collecting.confirmed,
    UseLink: collecting.link_used,
    SendNotice: notifying.asked,
    RecordHandover: handing_over.recorded,
    TaskFinished: notifying.finished,
    VerificationConcluded: following.verified,
    RequestFulfilled: following.fulfilled,
    DeadlineExtended: following.extended,
    RequestClosed: following.closed,
    RequestReceived: receiving.read_back,
    RequestWithdrawn: withdrawing.read_back,
}


@dataclass(slots=True)
class IntakeDomain:
    """The front desk: takes requests in, passes proofs on, and says everything that the requester is told."""

    regimes: Mapping[str, Regime]
    name: str = "intake"
    case_type: type[IntakeCase] = IntakeCase

    def open(self, request_id: UUID) -> IntakeCase:
        """The case before anything was heard."""
        return IntakeCase()

    def decide(self, case: IntakeCase, message: Message, context: Context) -> Verdict:
        """What a message means; types that do not concern intake change nothing."""
        rule = RULES.get(type(message.body))
        return rule(case, Heard(message, context, self.regimes)) if rule else unchanged(case)

    def wake(self, case: IntakeCase, context: Context) -> Verdict:
        """Intake waits for nobody: what must happen later is a task."""
        return unchanged(case)

    def permit(self, case: IntakeCase, key: str, purpose: str, context: Context) -> Go | Stop:
        """Whether a notice may still go out."""
        return notifying.permit(case, key, context)
