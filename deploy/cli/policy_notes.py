"""What a regime says beyond its table of clocks: limits, waits, what stops or starts a clock, what recurs."""

from collections.abc import Iterator

from shared.policy import Regime, Right
from shared.policy.clockwork.periods import ClockRules, Pause, Restart
from shared.policy.rules import Frequency, RightRules
from shared.policy.sourced import Rule


def notes(regime: Regime, rights: tuple[Right, ...]) -> list[str]:
    """A line for each rule, with the rights that it is for."""
    found: dict[str, list[str]] = {}
    for right in rights:
        for line in _of(regime.right(right)):
            found.setdefault(line, []).append(right)
    lines = [f"{', '.join(named)}: {line}" for line, named in found.items()]
    cadence = regime.rules.cadence
    return (
        [*lines, _said(f"at least every {cadence.days} days: {cadence.words}", cadence)] if cadence else lines
    )


def _of(rules: RightRules) -> Iterator[str]:
    if rules.frequency:
        yield _said(_often(rules.frequency), rules.frequency)
    if rules.wait:
        yield _said(
            f"{rules.wait.months} months before the person may be asked to change their mind", rules.wait
        )
    yield from _clocks(rules.clocks)
    yield from (_said(one.words, one) for one in rules.variants)


def _often(rule: Frequency) -> str:
    window = "a calendar year" if rule.calendar_year else f"{rule.months} months"
    times = "once" if rule.times == 1 else f"{rule.times} times"
    return f"need be answered {times} in {window}; about more a person decides"


def _clocks(clocks: ClockRules) -> Iterator[str]:
    heard: tuple[Pause | Restart, ...] = (*clocks.restarts, *clocks.pauses)
    yield from (_said(one.words, one) for one in heard)
    if clocks.cap:
        yield _said(f"no date lies beyond {clocks.cap.days} days from receipt", clocks.cap)


def _said(words: str, rule: Rule) -> str:
    return f"{words} ({rule.cite}) [{rule.confidence}]"
