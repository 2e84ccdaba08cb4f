"""What a contract must say before its other side is a service provider, a contractor, or a third party at all.

The letters follow 11 CCR 7051(a) and 7053(a); terms of the two that ask for the same share a name.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

TermName: TypeAlias = Literal[
    "no_selling_or_sharing",
    "specific_purposes",
    "no_other_purpose",
    "no_other_commercial_purpose",
    "no_combining",
    "same_protection",
    "right_to_check",
    "five_day_notice",
    "right_to_stop",
    "help_with_requests",
    "certification",
    "subcontractors",
]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a contract must say, in plain words, and where the law asks for it."""

    name: TermName
    citation: str
    asks: str


SERVICE_PROVIDER: Final[tuple[Term, ...]] = (
    Term("no_selling_or_sharing", "11 CCR 7051(a)(1)", "it may neither sell nor share the data"),
    Term(
        "specific_purposes",
        "11 CCR 7051(a)(2)",
        "the specific business purposes, and not the contract at large",
    ),
    Term("no_other_purpose", "11 CCR 7051(a)(3)", "no keeping, use or disclosure for any other purpose"),
    Term("no_other_commercial_purpose", "11 CCR 7051(a)(4)", "none for a commercial purpose of its own"),
    Term("no_combining", "11 CCR 7051(a)(5)", "none outside the direct relationship, and no combining"),
    Term(
        "same_protection", "11 CCR 7051(a)(6)", "it complies with the CCPA and protects the data as we must"
    ),
    Term("right_to_check", "11 CCR 7051(a)(7)", "we may take reasonable steps to check how it uses the data"),
    Term(
        "five_day_notice", "11 CCR 7051(a)(8)", "it says within 5 business days that it can comply no longer"
    ),
    Term("right_to_stop", "11 CCR 7051(a)(9)", "we may stop unauthorized use and have it put right"),
    Term("help_with_requests", "11 CCR 7051(a)(10)", "it enables us to comply with consumers' requests"),
)
CERTIFICATION: Final = Term(
    "certification",
    "Civ. Code 1798.140(j)(1)(B)",
    "a certification that it understands the restrictions and will comply",
)
SUBCONTRACTORS: Final = Term(
    "subcontractors",
    "Civ. Code 1798.140(ag)(2), (j)(2)",
    "notice of whom it engages, who are bound in writing to the same",
)
THIRD_PARTY: Final[tuple[Term, ...]] = (
    Term("specific_purposes", "11 CCR 7053(a)(1)", "the limited and specified purposes"),
    Term("no_other_purpose", "11 CCR 7053(a)(2)", "use for those purposes alone"),
    Term(
        "same_protection", "11 CCR 7053(a)(3)", "it complies and protects alike, forwarded opt-outs included"
    ),
    Term("right_to_check", "11 CCR 7053(a)(4)", "we may check that it uses the data as we must"),
    Term("right_to_stop", "11 CCR 7053(a)(5)", "we may stop unauthorized use and have it put right"),
    Term(
        "five_day_notice", "11 CCR 7053(a)(6)", "it says within 5 business days that it can comply no longer"
    ),
)
