"""The figures of 11 CCR 7102(a): for a calendar year and a business, by kind of request.

A request counts in the year of its receipt. Answered in whole or in part includes that nothing was held, which is a
true answer; a request that was taken back or joined to an earlier one was neither complied with nor denied.
"""

from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import Final

from pydantic import BaseModel, ConfigDict

from deploy.reports.records import RequestRecord
from shared.policy import Right

COMPLIED: Final = {"complete", "partial", "nothing_found"}
NOT_DECIDED: Final = {"withdrawn", "duplicate"}
UNVERIFIED: Final = "identity_not_verified"

KINDS: Final[dict[str, tuple[str, frozenset[Right]]]] = {
    "delete": ("Requests to delete", frozenset({Right.DELETE})),
    "correct": ("Requests to correct", frozenset({Right.CORRECT})),
    "know": ("Requests to know", frozenset({Right.KNOW_CATEGORIES, Right.KNOW_SPECIFIC})),
    "access_admt": ("Requests to access ADMT", frozenset({Right.ACCESS_ADMT})),
    "opt_out": ("Requests to opt out of sale and sharing", frozenset({Right.OPT_OUT})),
    "limit": ("Requests to limit", frozenset({Right.LIMIT})),
    "opt_out_admt": ("Requests to opt out of ADMT", frozenset({Right.OPT_OUT_ADMT})),
}


class Figures(BaseModel):
    """One kind of request in one year."""

    model_config = ConfigDict(frozen=True)

    kind: str
    title: str
    received: int
    complied: int
    complied_in_part: int
    nothing_found: int
    denied: int
    denied_unverified: int
    denied_exempt: int
    denied_other: int
    not_decided: int
    open: int
    late: int
    median_days: float | None
    mean_days: float | None


def figures(records: Iterable[RequestRecord], year: int, business: str) -> list[Figures]:
    """All seven kinds, also those that nobody asked for."""
    chosen = [one for one in records if one.received_on.year == year and one.business == business]
    return [
        _figures(kind, title, [one for one in chosen if one.right in rights])
        for kind, (title, rights) in KINDS.items()
    ]


def _figures(kind: str, title: str, asked: Sequence[RequestRecord]) -> Figures:
    answered = [one for one in asked if one.responded_at is not None]
    complied = [one for one in answered if one.resolution in COMPLIED]
    denied = [one for one in answered if one.resolution == "denied"]
    days = [one.days for one in (*complied, *denied) if one.days is not None]
    unverified = sum(one.ground == UNVERIFIED for one in denied)
    exempt = sum(one.ground == "exemption" for one in denied)
    return Figures(
        kind=kind,
        title=title,
        received=len(asked),
        complied=len(complied),
        complied_in_part=sum(one.resolution == "partial" for one in complied),
        nothing_found=sum(one.resolution == "nothing_found" for one in complied),
        denied=len(denied),
        denied_unverified=unverified,
        denied_exempt=exempt,
        denied_other=len(denied) - unverified - exempt,
        not_decided=sum(one.resolution in NOT_DECIDED for one in answered),
        open=len(asked) - len(answered),
        late=sum(one.in_time is False for one in answered),
        median_days=float(median(days)) if days else None,
        mean_days=round(fmean(days), 1) if days else None,
    )
