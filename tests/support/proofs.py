"""What verification's `prepare` may have found, made by hand, and a case ready to be proved."""

from datetime import datetime, timedelta

from services.verification.domain import (
    AssertionFound,
    ClaimsFound,
    Findings,
    Limits,
    VerificationCase,
    VerificationDomain,
)
from shared.events.commands import AnswerChallenge, PresentAssertion, SendNotice
from shared.events.message import Event
from shared.machine.decision import Message
from shared.privacy import HmacKeyring, Secret, lookup_hash
from tests.support import facts
from tests.support.domain_driver import DomainDriver, Messages, Sent, Step

KEYRING = HmacKeyring("1", {"1": Secret(b"k" * 32)})
SUBJECT = lookup_hash(KEYRING, "email", "pat@example.test")
STRANGER = lookup_hash(KEYRING, "email", "somebody@example.test")
CLAIMED = ClaimsFound(subject_hash=SUBJECT)
FRESH = AssertionFound(email_hashes=(SUBJECT,), fresh=True)
STALE = AssertionFound(email_hashes=(SUBJECT,), fresh=False)
FOREIGN = AssertionFound(email_hashes=(STRANGER,), fresh=True)


class Verifying:
    """One request on its way through verification."""

    def __init__(self, *, limits: Limits | None = None, keyring: HmacKeyring = KEYRING) -> None:
        domain = VerificationDomain(keyring, limits)
        self.driver: DomainDriver[VerificationCase] = DomainDriver(domain, facts.RECEIVED_AT)
        self.messages = Messages()

    @property
    def case(self) -> VerificationCase:
        return self.driver.case

    @property
    def codes(self) -> list[str]:
        """The codes that were sent, in order."""
        return [one.opened("code").decode() for one in self.notices]

    @property
    def notices(self) -> list[Sent]:
        return [one for one in self.driver.sent if isinstance(one.body, SendNotice)]

    def receive(
        self, right: str = "delete", *, claims: ClaimsFound = CLAIMED, assertion: AssertionFound | None = None
    ) -> Step[VerificationCase]:
        return self.driver.deliver(self.request(right, claims=claims, assertion=assertion))

    def request(
        self, right: str = "delete", *, claims: ClaimsFound = CLAIMED, assertion: AssertionFound | None = None
    ) -> Message:
        found = Findings(claims=claims, assertion=assertion)
        return self.messages.event(facts.received(right), at=facts.RECEIVED_AT, facts=found)

    def answer(self, code: str, *, at: datetime | None = None) -> Step[VerificationCase]:
        found = Findings(code=Secret(code))
        body = AnswerChallenge(code="c2VhbGVk")
        return self.driver.deliver(self.messages.command(body, at=at or self.driver.now, facts=found))

    def present(self, assertion: AssertionFound) -> Step[VerificationCase]:
        return self.driver.deliver(self.presentation(assertion))

    def presentation(self, assertion: AssertionFound) -> Message:
        body = PresentAssertion(assertion="c2VhbGVk")
        return self.messages.command(body, at=self.driver.now, facts=Findings(assertion=assertion))

    def hear(self, body: Event) -> Step[VerificationCase]:
        return self.driver.deliver(self.messages.event(body, at=self.driver.now))

    def pass_days(self, days: float) -> None:
        self.driver.pass_time(self.driver.now + timedelta(days=days))


def another(code: str) -> str:
    """A code that is certainly not this one."""
    return f"{(int(code) + 1) % 10**8:08d}"
