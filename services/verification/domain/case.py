"""What verification knows of one request: keyed hashes and words of ours, never an identity."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.verification.domain.findings import AssertionFound, ClaimsFault
from shared.events.verification import Conclusion, Method
from shared.machine.decision import Case, Outgoing
from shared.policy import Clocks, Degree, DueDate, Right, load_regime, verification_rule
from shared.policy.dates import add_days, late_from

_RANK = {Degree.NONE: 0, Degree.REASONABLE: 1, Degree.REASONABLY_HIGH: 2}


class Part(BaseModel):
    """A frozen part of the case."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Asked(Part):
    """What was asked of us, from RequestReceived."""

    business: str
    regime: str
    right: Right
    verify_by: DueDate | None = None

    @classmethod
    def of(cls, business: str, regime: str, clocks: Clocks) -> "Asked":
        return cls(business=business, regime=regime, right=clocks.right, verify_by=clocks.verify_by)


class Challenge(Part):
    """A code that was sent: its salted, keyed hash, until when it counts, how often it may still be tried."""

    salt: str
    code_hash: str
    expires_at: AwareDatetime
    attempts_left: int

    def lives(self, now: datetime) -> bool:
        return self.attempts_left > 0 and now < self.expires_at


class VerificationCase(Case):
    """One request's verification. `presented` waits for the request that an assertion came ahead of."""

    asked: Asked | None = None
    subject_hash: str | None = None
    fault: ClaimsFault | None = None
    extended_to: DueDate | None = None
    reached: Degree = Degree.NONE
    method: Method = "none"
    challenge: Challenge | None = None
    challenges: int = 0
    assertions_refused: int = 0
    presented: AssertionFound | None = None
    concluded: Conclusion | None = None
    withdrawn: bool = False
    closed: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be found out."""
        return self.concluded is not None or self.withdrawn or self.closed

    @property
    def verify_until(self) -> datetime | None:
        """The first instant at which verification is too late; an extension moves it by as many days."""
        if self.asked is None or self.asked.verify_by is None:
            return None
        if self.extended_to is None:
            return self.asked.verify_by.late_from
        regime = load_regime(self.asked.regime)
        moved = add_days(self.extended_to.date, -regime.rules.verify_by.answer_days)
        return late_from(moved, regime.zone)

    @property
    def wake_at(self) -> datetime | None:
        return None if self.is_over else self.verify_until

    def having_proved(self, degree: Degree, method: Method) -> "VerificationCase":
        """The case after a proof; a weaker one than what was already reached adds nothing."""
        if reaches(self.reached, degree):
            return self
        return self.model_copy(update={"reached": degree, "method": method})


@dataclass(frozen=True, slots=True)
class Draft:
    """A case on its way to a decision, with what is to be said; or a command's refusal."""

    case: VerificationCase
    events: tuple[Outgoing, ...] = ()
    commands: tuple[Outgoing, ...] = ()
    refusal: str | None = None

    def saying(self, case: VerificationCase, *events: Outgoing) -> "Draft":
        return Draft(case, (*self.events, *events), self.commands)


def needed_degree(asked: Asked) -> Degree:
    return verification_rule(load_regime(asked.regime), asked.right).degree


def reaches(reached: Degree, needed: Degree) -> bool:
    return _RANK[reached] >= _RANK[needed]
