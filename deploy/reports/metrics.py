"""The yearly figures: 11 CCR 7102(a), and for data brokers the Delete Act's (Civ. Code 1798.99.85).

A request counts in the year of its receipt. Complied with in whole or in part includes that nothing was held, which is
a true answer; a request that was taken back or joined to an earlier one was neither complied with nor denied.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from deploy.reports.records import ANSWERED, UNVERIFIED, RequestRecord
from shared.events.grounds import EXPLAINED, kind_of
from shared.policy import Right

NOT_DECIDED: Final = frozenset({"withdrawn", "duplicate"})
CCPA: Final = "us-ca-ccpa"
DELETE_ACT: Final = "us-ca-delete-act"
# Why a request was denied, in the four words of 11 CCR 7102(a)(2); every other ground is "other", and told apart there.
REASONS: Final = {
    UNVERIFIED: "unverifiable",
    "not_by_the_consumer": "not_by_consumer",
    "exemption": "exempt",
}


OTHER_GROUNDS: Final = {
    "answered_often_enough": "answered as often as the law asks",
    "suspected_fraud": "suspected fraud",
    "unfounded_or_excessive": "manifestly unfounded or excessive",
    "unnamed": "without a ground that is counted",
}


class Law(StrEnum):
    """Whose figures."""

    ccpa = "ccpa"
    delete_act = "delete-act"


@dataclass(frozen=True, slots=True)
class Kind:
    """One line of the figures: these rights, asked for under one of these regimes (of all, if none is named)."""

    name: str
    title: str
    rights: frozenset[Right]
    only_under: str | None = None

    def covers(self, one: RequestRecord) -> bool:
        return one.right in self.rights and self.only_under in {None, one.regime}


_ADMT: Final = "automated decision-making technology (ADMT)"
_DELETE: Final = Kind("delete", "Requests to delete", frozenset({Right.DELETE}))
_CORRECT: Final = Kind("correct", "Requests to correct", frozenset({Right.CORRECT}))
_KNOW: Final = Kind("know", "Requests to know", frozenset({Right.KNOW_CATEGORIES, Right.KNOW_SPECIFIC}))
_OPT_OUT: Final = Kind("opt_out", "Requests to opt out of sale and sharing", frozenset({Right.OPT_OUT}))
_LIMIT: Final = Kind("limit", "Requests to limit", frozenset({Right.LIMIT}))
KINDS: Final = {
    Law.ccpa: (
        _DELETE,
        _CORRECT,
        _KNOW,
        Kind(
            "access_admt",
            "Requests to access automated decision-making technology (ADMT)",
            frozenset({Right.ACCESS_ADMT}),
        ),
        _OPT_OUT,
        _LIMIT,
        Kind(
            "opt_out_admt",
            "Requests to opt out of automated decision-making technology (ADMT)",
            frozenset({Right.OPT_OUT_ADMT}),
        ),
    ),
    Law.delete_act: (
        Kind(
            "drop",
            "Requests to delete through the state's platform (DROP)",
            frozenset({Right.DELETE}),
            DELETE_ACT,
        ),
        *(replace(one, only_under=CCPA) for one in (_DELETE, _KNOW, _OPT_OUT, _LIMIT)),
    ),
}


class Figures(BaseModel):
    """One kind of request in one year; a request denied in part is among those complied with in part."""

    model_config = ConfigDict(frozen=True)

    kind: str
    title: str
    received: int
    complied: int
    complied_in_part: int
    nothing_found: int
    denied: int
    denied_unverifiable: int
    denied_not_by_consumer: int
    denied_exempt: int
    denied_other: int
    denied_other_grounds: dict[str, int]
    denied_in_part_unverifiable: int
    denied_in_part_exempt: int
    denied_in_part_other: int
    exemptions: dict[str, int]
    not_decided: int
    open: int
    late: int
    median_days: float | None
    mean_days: float | None


@dataclass(slots=True)
class _Count:
    """What has been counted of one kind so far; days are a tally, so that its size is that of a year."""

    tally: Counter[str] = field(default_factory=Counter)
    denials: Counter[str] = field(default_factory=Counter)
    other_grounds: Counter[str] = field(default_factory=Counter)
    exemptions: Counter[str] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)

    def add(self, one: RequestRecord) -> None:
        self.tally["received"] += 1
        if one.responded_at is None:
            self.tally["open"] += 1
            return
        self.tally[str(one.resolution)] += 1
        self.tally["lessened"] += one.is_lessened
        self.tally["in part"] += one.is_lessened or one.resolution == "partial"
        self.tally["late"] += one.in_time is False
        if one.resolution in NOT_DECIDED:
            self.tally["not_decided"] += 1
            return
        self.days[one.days or 0] += 1
        kind = kind_of(one.ground) or ""
        self.denials[f"{one.resolution} {REASONS.get(kind, 'other')}"] += 1
        if one.resolution == "denied" and kind not in REASONS:
            # What staff wrote in words of their own is nobody's kind, and not for a page that is published.
            self.other_grounds[kind if kind in EXPLAINED else "unnamed"] += 1
        self.exemptions.update(one.exemptions.split(", ") if one.exemptions else ())


def figures(records: Iterable[RequestRecord], law: Law = Law.ccpa) -> list[Figures]:
    """Every kind of the law, also those that nobody asked for; the records are those of a year and a business."""
    counts = {kind.name: _Count() for kind in KINDS[law]}
    for one in records:
        for kind in KINDS[law]:
            if kind.covers(one):
                counts[kind.name].add(one)
    return [_figures(kind, counts[kind.name]) for kind in KINDS[law]]


def _figures(kind: Kind, count: _Count) -> Figures:
    tally, denials = count.tally, count.denials
    return Figures(
        kind=kind.name,
        title=kind.title,
        received=tally["received"],
        complied=sum(tally[one] for one in ANSWERED),
        complied_in_part=tally["in part"],
        nothing_found=tally["nothing_found"],
        denied=tally["denied"],
        denied_unverifiable=denials["denied unverifiable"],
        denied_not_by_consumer=denials["denied not_by_consumer"],
        denied_exempt=denials["denied exempt"],
        denied_other=denials["denied other"],
        denied_other_grounds=dict(sorted(count.other_grounds.items())),
        denied_in_part_unverifiable=tally["lessened"],
        denied_in_part_exempt=denials["partial exempt"],
        denied_in_part_other=denials["partial other"],
        exemptions=dict(sorted(count.exemptions.items())),
        not_decided=tally["not_decided"],
        open=tally["open"],
        late=tally["late"],
        median_days=_median(count.days),
        mean_days=_mean(count.days),
    )


def _mean(days: Counter[int]) -> float | None:
    return round(sum(day * times for day, times in days.items()) / days.total(), 1) if days else None


def _median(days: Counter[int]) -> float | None:
    """Of a tally, without the list that it stands for."""
    if not days:
        return None
    total = days.total()
    middle = {(total - 1) // 2, total // 2}
    return sum(_at(days, place) for place in middle) / len(middle)


def _at(days: Counter[int], place: int) -> int:
    return next(day for day, last in _running(days) if place < last)


def _running(days: Counter[int]) -> Iterator[tuple[int, int]]:
    seen = 0
    for day in sorted(days):
        seen += days[day]
        yield day, seen
