"""The once-only extension: when its notice counts, and every reason why it may not.

Civ. Code 1798.130(a)(2)(A) and 1798.145(h)(1), 11 CCR 7021(b): once, with reasons, told to the person
before the first period ends; the longer period still runs from receipt.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from shared.policy.clocks import Clocks


class ExtensionRefusal(StrEnum):
    """Why a deadline stays where it is."""

    CLOSED = "closed"
    RIGHT_HAS_NO_EXTENSION = "right_has_no_extension"
    ALREADY_EXTENDED = "already_extended"
    NO_REASONS = "no_reasons"
    TOO_LATE = "too_late"


def extension_refusal(
    clocks: Clocks,
    *,
    handed_over_at: datetime,
    reasons: Sequence[str],
    already_extended: bool = False,
    closed: bool = False,
) -> ExtensionRefusal | None:
    """Judge a notice handed over at that instant (or one planned for it); None means that it extends."""
    if closed:
        return ExtensionRefusal.CLOSED
    if clocks.extend_to is None or clocks.respond_by is None:
        return ExtensionRefusal.RIGHT_HAS_NO_EXTENSION
    if already_extended:
        return ExtensionRefusal.ALREADY_EXTENDED
    if not any(reason.strip() for reason in reasons):
        return ExtensionRefusal.NO_REASONS
    return ExtensionRefusal.TOO_LATE if handed_over_at >= clocks.respond_by.late_from else None
