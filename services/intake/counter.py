"""What a caller may do at the counter: submit, look, take back, prove, collect. HTTP itself is `api.py`."""

import re
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake.answers import Receipt, RequestStatus
from services.intake.application import JWT, read_strictly
from services.intake.desk import Desk, signaled
from services.intake.domain import IntakeCase
from services.intake.domain.receiving import right_not_offered
from services.intake.messages import HTTP, PresentProof, SubmitRequest, WithdrawRequest
from services.intake.ports import Cases, Submits
from services.intake.problems import (
    failed,
    not_found,
    refused,
    unauthorized,
    unavailable,
    unreadable,
)
from services.intake.submission import Problem, Submission
from shared.clock import Clock
from shared.database import TRANSIENT
from shared.events.message import Event
from shared.ids import new_id, request_id_for
from shared.machine.decision import Message
from shared.policy import load_regime
from shared.privacy import HmacKeyring, check_request_secret, request_secret

_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NOBODY: Final = UUID(int=0)


class Proof(BaseModel):
    """Either the code that was sent by e-mail, or an assertion of the account that is signed in."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=32)] | None = (
        Field(default=None, repr=False, description="The code from the e-mail.")
    )
    assertion: Annotated[str, StringConstraints(max_length=16_000, pattern=JWT)] | None = Field(
        default=None, repr=False, description="A JWT from the business's identity provider."
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who stands at the counter: the secret that they show, and the trace that they are part of."""

    secret: str | None = None
    traceparent: str = ""

    def __repr__(self) -> str:
        return "Caller(hidden)"


@dataclass(frozen=True, slots=True)
class Counter:
    """The operations behind the HTTP interface."""

    desk: Desk
    keyring: HmacKeyring
    batcher: Submits
    cases: Cases
    clock: Clock

    async def submit(
        self, content: bytes, key: str | None, caller: Caller, *, signal: bool = False
    ) -> Receipt:
        """Take a request in; the same key and content is the same request and gets the same answer.

        What follows from an earlier request needs that one's secret; its answer is appealed against once. A browser's
        opt-out preference signal is a request of its own beside it.
        """
        submission = self.desk.read(content)
        if isinstance(submission, tuple):
            raise unreadable(submission)
        if submission.follows is not None:
            first = self.let_in(str(submission.follows.request_id), caller)
            key = await self._key_of_appeal(first) if submission.follows.kind == "appeal" else key
        request_id = request_id_for(HTTP, key) if key else new_id()
        receipt = await self._received(request_id, submission, caller)
        opted_out = signaled(submission) if signal else None
        if opted_out is None:
            return receipt
        beside = request_id_for(HTTP, f"signal:{request_id}")
        return receipt.model_copy(update={"by_signal": await self._received(beside, opted_out, caller)})

    async def _received(self, request_id: UUID, submission: Submission, caller: Caller) -> Receipt:
        body = SubmitRequest(submission=submission)
        try:
            case = await self.send(request_id, body, caller, business=submission.business)
        except RightRefusedError:
            problem = right_not_offered(load_regime(submission.regime), self.clock.now())
            raise unreadable((problem,)) from None
        return Receipt.of(request_id, case, request_secret(self.keyring, request_id).reveal())

    async def _key_of_appeal(self, first: UUID) -> str:
        """The same for every appeal against an answer, but after one that ended without anybody's judgement."""
        key, turn = f"appeals:{first}", 1
        try:
            while (case := await self.cases.case(request_id_for(HTTP, key))) and case.ended_unjudged:
                turn += 1
                key = f"appeals:{first}:{turn}"
        except TRANSIENT:
            raise unavailable() from None
        return key

    async def status(self, request_id: str, caller: Caller) -> RequestStatus:
        """Where the request stands."""
        found = self.let_in(request_id, caller)
        return RequestStatus.of(found, await self.case(found))

    async def withdraw(self, request_id: str, caller: Caller) -> RequestStatus:
        """Take the request back; doing it again changes nothing."""
        found = self.let_in(request_id, caller)
        return RequestStatus.of(found, await self.send(found, WithdrawRequest(), caller))

    async def prove(self, request_id: str, content: bytes, caller: Caller) -> RequestStatus:
        """Pass a proof on to verification, which alone judges it."""
        found = self.let_in(request_id, caller)
        proof = read_strictly(content, Proof)
        if isinstance(proof, tuple):
            raise unreadable(proof)
        if (proof.code is None) == (proof.assertion is None):
            raise unreadable((Problem("one_of", "code", "give either code or assertion"),))
        body = PresentProof(code=proof.code, assertion=proof.assertion)
        return RequestStatus.of(found, await self.send(found, body, caller))

    def let_in(self, request_id: str, caller: Caller) -> UUID:
        """The request, for who shows its secret. No database is asked: an id that exists takes no longer."""
        if caller.secret is None:
            raise unauthorized()
        known = _uuid(request_id)
        right = check_request_secret(self.keyring, known or _NOBODY, caller.secret)
        if known is None or not right:
            raise not_found()
        return known

    def known(self, request_id: str) -> UUID:
        """The id, if it is one."""
        found = _uuid(request_id)
        if found is None:
            raise not_found()
        return found

    async def case(self, request_id: UUID) -> IntakeCase:
        """The request, if it was received."""
        try:
            case = await self.cases.case(request_id)
        except TRANSIENT:
            raise unavailable() from None
        if case is None or case.received_at is None:
            raise not_found()
        return case

    async def send(
        self,
        request_id: UUID,
        body: Event,
        caller: Caller,
        *,
        business: str = "",
        message_id: UUID | None = None,
    ) -> IntakeCase:
        """Have the rules hear it; the case afterwards, or the problem."""
        message = Message(
            id=message_id or new_id(),
            ce_type=f"local.{type(body).__name__}",
            source=HTTP,
            kind="local",
            request_id=request_id,
            body=body,
            at=self.clock.now(),
            business=business,
            traceparent=caller.traceparent if _TRACEPARENT.fullmatch(caller.traceparent) else "",
        )
        try:
            result = await self.batcher.submit(message)
        except TRANSIENT:
            raise unavailable() from None
        return _case_of(result.refusal, result.case)


class RightRefusedError(Exception):
    """The regime does not offer the right on this day."""


def _case_of(refusal: str | None, case: object) -> IntakeCase:
    if refusal == "right_not_offered":
        raise RightRefusedError
    if refusal is not None:
        raise refused(refusal)
    # Without a case the message was buried: it broke something here.
    if not isinstance(case, IntakeCase):
        raise failed()
    return case


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
