"""What a rule is given: one message, the moment, and the law."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.intake.domain.case import IntakeCase
from shared.machine.decision import Context, Decision, Message
from shared.policy import Regime

Verdict = Decision[IntakeCase]


@dataclass(frozen=True, slots=True)
class Heard:
    """A message, when it is heard, and the regimes that requests can fall under."""

    message: Message
    context: Context
    regimes: Mapping[str, Regime]


Rule = Callable[[IntakeCase, Heard], Verdict]


def unchanged(case: IntakeCase) -> Verdict:
    """Nothing new."""
    return Decision(case)


def refused(case: IntakeCase, reason: str) -> Verdict:
    """The message moves nothing, and its sender is told why."""
    return Decision(case, refusal=reason)
