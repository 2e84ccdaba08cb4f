"""What is found out before the transaction: submissions decrypted and read, keys made and opened in bulk."""

from collections.abc import Sequence
from uuid import UUID

from services.intake.desk import Desk
from services.intake.messages import PresentProof, SubmitRequest
from services.intake.ports import Cases, RequestKeys
from services.intake.submission import First, Problem, Submission
from shared.events.commands import RequestSubmitted
from shared.machine.decision import Message
from shared.signing import DecryptionKeys, SubmissionUnreadable, decrypt_submission

Found = Submission | Problem | None

REMEDIES = {
    "not_a_jwe": "encrypt the claims to the key at /.well-known/jwks.json as a compact JWE",
    "clear_claims": "never send claims in clear; encrypt them to the key at /.well-known/jwks.json",
    "foreign_key": "encrypt the claims to a key that /.well-known/jwks.json lists today",
    "undecryptable": "encrypt with ECDH-ES+A256KW and A256GCM, without compression, and send it unchanged",
    "too_large": "keep the encrypted claims under 64,000 characters",
}


class Prepare:
    """Reads a batch's submissions and sees to it that everything that may be sealed has its key open."""

    def __init__(self, desk: Desk, decryption: DecryptionKeys, keys: RequestKeys, cases: Cases) -> None:
        self._desk = desk
        self._cases = cases
        self._decryption = decryption
        self._keys = keys

    async def __call__(self, messages: Sequence[Message]) -> list[Found]:
        """One entry per message; a problem is a value, only an outage of the vault raises."""
        found = [await self._following(self._found(message)) for message in messages]
        readable = zip(messages, found, strict=True)
        new = [message.request_id for message, what in readable if isinstance(what, Submission)]
        if new:
            await self._keys.create(_distinct(new))
        proofs = [message.request_id for message in messages if isinstance(message.body, PresentProof)]
        if proofs:
            await self._keys.prefetch(_distinct(proofs))
        return found

    async def _following(self, found: Found) -> Found:
        """A submission with what is known of the earlier request that it follows from."""
        if not isinstance(found, Submission) or found.follows is None:
            return found
        case = await self._cases.case(found.follows.request_id)
        if case is None or case.right is None:
            return found
        first = First(
            business=case.business,
            regime=case.regime,
            right=case.right,
            is_answered=case.answered_at is not None,
            resolution=case.ending.resolution if case.ending else None,
        )
        return found.model_copy(update={"follows": found.follows.model_copy(update={"first": first})})

    def _found(self, message: Message) -> Found:
        if isinstance(message.body, SubmitRequest):
            return message.body.submission
        if isinstance(message.body, RequestSubmitted):
            return self._submitted(message.body, message.business)
        return None

    def _submitted(self, body: RequestSubmitted, business: str) -> Submission | Problem:
        claims = decrypt_submission(body.claims, self._decryption)
        if isinstance(claims, SubmissionUnreadable):
            return Problem(claims.reason, "claims", REMEDIES[claims.reason])
        read = self._desk.read_upstream(claims, business)
        # A fact names one fault; the sender meets the next one when this is mended.
        return read[0] if isinstance(read, tuple) else read


def _distinct(ids: Sequence[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))
