"""Opens what a message carries sealed and says what was found, before the transaction begins.

Plaintext ends here: claims and assertions become keyed hashes and result words, a code becomes a Secret.
Whatever an outsider may have caused is a value; only a vault that is away raises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from services.verification.domain import AssertionFound, ClaimsFound, Findings
from services.verification.domain.findings import NOTHING
from shared.events.commands import AnswerChallenge, PresentAssertion
from shared.events.intake import RequestReceived
from shared.machine.decision import Message
from shared.privacy import (
    Claims,
    HmacKeyring,
    InvalidIdentifier,
    Secret,
    lookup_hash,
    lookup_hashes,
    normalise_email,
)
from shared.signing import Assertion, AssertionRefused, TrustedIssuer, check_assertion
from shared.vault.errors import CannotUnseal, KeyDestroyed, KeyUnknown
from shared.vault.vault import Vault

CARRIES_SEALED = (RequestReceived, AnswerChallenge, PresentAssertion)
CANNOT_OPEN = (CannotUnseal, KeyDestroyed, KeyUnknown)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose assertions count, for whom they must be made, and how recent a fresh sign-in is."""

    issuers: Callable[[str], Sequence[TrustedIssuer]]
    audience: str
    fresh_for: timedelta


class Prepare:
    """One per service; called with each batch."""

    def __init__(self, vault: Vault, keyring: HmacKeyring, trust: Trust) -> None:
        self._vault = vault
        self._keyring = keyring
        self._trust = trust

    async def __call__(self, messages: Sequence[Message]) -> Sequence[Findings]:
        """What was found for each message; the keys stay open for what the decisions will seal."""
        sealed = [m.request_id for m in messages if isinstance(m.body, CARRIES_SEALED)]
        if sealed:
            await self._vault.prefetch(sealed)
        return [self._find(message) for message in messages]

    def _find(self, message: Message) -> Findings:
        match message.body:
            case RequestReceived(claims=claims, assertion=assertion, business=business):
                return Findings(
                    claims=self._claims(message, claims),
                    assertion=self._assertion(message, assertion, business) if assertion else None,
                )
            case PresentAssertion(assertion=assertion):
                return Findings(assertion=self._assertion(message, assertion, message.business))
            case AnswerChallenge(code=code):
                return Findings(code=self._code(message, code))
        return NOTHING

    def _claims(self, message: Message, sealed: str) -> ClaimsFound:
        opened = self._open(message, "claims", sealed)
        if opened is None:
            return ClaimsFound(fault="claims_unreadable")
        try:
            claims = Claims.from_bytes(opened)
            email = normalise_email(claims.email) if claims.email else None
        except (ValidationError, InvalidIdentifier):
            return ClaimsFound(fault="claims_unreadable")
        if email is None:
            return ClaimsFound(fault="no_email")
        return ClaimsFound(subject_hash=lookup_hash(self._keyring, "email", email))

    def _assertion(self, message: Message, sealed: str, business: str) -> AssertionFound:
        opened = self._open(message, "assertion", sealed)
        if opened is None:
            return AssertionFound(refused="unreadable")
        # Judged as of the moment at which intake took it in: a topic's delay must not age a sign-in.
        found = check_assertion(
            opened.decode("ascii", "replace"),
            self._trust.issuers(business),
            audience=self._trust.audience,
            now=message.at,
        )
        if isinstance(found, AssertionRefused):
            return AssertionFound(refused=found.reason)
        return self._account(found, message)

    def _account(self, found: Assertion, message: Message) -> AssertionFound:
        if found.email is None or not found.email_verified:
            return AssertionFound(refused="email_not_verified")
        try:
            email = normalise_email(found.email)
        except InvalidIdentifier:
            return AssertionFound(refused="email_not_verified")
        return AssertionFound(
            email_hashes=lookup_hashes(self._keyring, "email", email),
            fresh=message.at - found.auth_time <= self._trust.fresh_for,
        )

    def _code(self, message: Message, sealed: str) -> Secret[str] | None:
        opened = self._open(message, "code", sealed)
        return None if opened is None else Secret(opened.decode("utf-8", "replace"))

    def _open(self, message: Message, field: str, sealed: str) -> bytes | None:
        try:
            return self._vault.open(message.request_id, message.id, field, sealed)
        except CANNOT_OPEN:
            return None
