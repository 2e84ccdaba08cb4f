"""Which regimes protect a person, by where they live and what is true of the business; the strictest date rules."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cache

from shared.policy.clocks import Clocks, DueDate
from shared.policy.clockwork.reckoning import reckon
from shared.policy.regimes import NotInForceError, Regime, RightNotOfferedError, load_regime, regime_names
from shared.policy.rights import Right
from shared.policy.rules import Fact

CLOCKS = ("acknowledge_by", "respond_by", "extend_to", "effective_by", "verify_by")


class UnknownResidencyError(ValueError):
    """No regime protects people who live there."""

    def __init__(self) -> None:
        super().__init__(f"residency must be one of {', '.join(residencies())}")


class UnknownFactError(ValueError):
    """The text names no fact that selects a regime."""

    def __init__(self) -> None:
        super().__init__(f"a fact must be one of {', '.join(Fact)}")


def parse_fact(text: str) -> Fact:
    """Answer with the fact, or say which ones there are."""
    try:
        return Fact(text)
    except ValueError:
        raise UnknownFactError from None


@cache
def residencies() -> tuple[str, ...]:
    """List every place whose residents some regime protects."""
    named = (load_regime(name).rules.applies.residencies for name in regime_names())
    return tuple(sorted({residency for residencies in named for residency in residencies}))


def select(residency: str, facts: Collection[Fact] = ()) -> tuple[Regime, ...]:
    """Give every regime that a resident falls under when these facts are true of the business."""
    every = (load_regime(name) for name in regime_names())
    found = tuple(regime for regime in every if _applies(regime, residency, facts))
    if not found and residency not in residencies():
        raise UnknownResidencyError
    return found


def select_by_right(
    residency: str, facts: Collection[Fact], right: Right, received_at: datetime
) -> dict[str, Clocks]:
    """Give the dates under each regime that applies, grants the right and is in force, by its name."""
    found = {}
    problems = []
    for regime in select(residency, facts):
        try:
            found[regime.id] = reckon(regime, right, received_at, facts)
        except (NotInForceError, RightNotOfferedError) as error:
            problems.append(str(error))
    if not found:
        raise RightNotOfferedError("; ".join(problems) or f"no regime applies to {residency}")
    return found


def strictest(found: Iterable[Clocks]) -> dict[str, DueDate | None]:
    """Give, for each clock, the date that is late first: who keeps these keeps them all."""
    every = list(found)
    return {name: _earliest(getattr(clocks, name) for clocks in every) for name in CLOCKS}


def _earliest(dues: Iterable[DueDate | None]) -> DueDate | None:
    return min((due for due in dues if due), key=lambda due: due.late_from, default=None)


def _applies(regime: Regime, residency: str, facts: Collection[Fact]) -> bool:
    rule = regime.rules.applies
    resident = residency in rule.residencies and set(rule.facts) <= set(facts)
    return resident or not set(rule.wherever).isdisjoint(facts)
