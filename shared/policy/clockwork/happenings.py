"""What can happen to a request that a clock may listen to: one closed list, as data files and people write it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final


class Happening(StrEnum):
    """What happened after receipt, or before it (`earlier-request`). Regimes say which of them move a date."""

    EXTENSION_NOTICE = "extension-notice"
    EXTENSION_NOTICE_WITHOUT_REASONS = "extension-notice-without-reasons"
    CLARIFICATION_ASKED = "clarification-asked"
    CLARIFICATION_RECEIVED = "clarification-received"
    IDENTITY_ASKED = "identity-asked"
    IDENTITY_RECEIVED = "identity-received"
    FEE_ASKED = "fee-asked"
    FEE_PAID = "fee-paid"
    AUTHENTICATED = "authenticated"
    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "answered"
    APPEALED = "appealed"
    COMPLIED = "complied"
    EARLIER_REQUEST = "earlier-request"


ALIASES: Final = {
    "clarification-requested": Happening.CLARIFICATION_ASKED,
    "clarification-answered": Happening.CLARIFICATION_RECEIVED,
    "identity-requested": Happening.IDENTITY_ASKED,
    "verification-asked": Happening.IDENTITY_ASKED,
    "verified": Happening.AUTHENTICATED,
    "effective": Happening.COMPLIED,
}


class UnknownHappeningError(ValueError):
    """The text names nothing that a clock could listen to."""

    def __init__(self) -> None:
        super().__init__(f"an event must be one of {', '.join(Happening)}")


@dataclass(frozen=True, slots=True)
class Event:
    """One happening on its local date; `at` where the instant itself is known."""

    kind: Happening
    on: date
    at: datetime | None = None


def parse_happening(text: str) -> Happening:
    """Answer with the happening for a name or an alias, or say which names there are."""
    if text in ALIASES:
        return ALIASES[text]
    try:
        return Happening(text)
    except ValueError:
        raise UnknownHappeningError from None
