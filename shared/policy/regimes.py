"""Loading a regime: its YAML and its holiday tables, validated together and stamped with one version."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from shared.policy.calendars import holidays
from shared.policy.calendars.holidays import BusinessCalendar, CalendarTable
from shared.policy.clockwork.periods import calendars_of, periods
from shared.policy.reading import read_yaml
from shared.policy.rights import Right
from shared.policy.rules import RegimeRules, RightRules
from shared.policy.states import STATE_SHAPE, expand

_PACKAGE = "shared.policy"


class UnknownRegimeError(ValueError):
    """No file of that name describes a regime."""

    def __init__(self) -> None:
        super().__init__(f"regime must be one of {', '.join(regime_names())}")


class BrokenPolicyError(ValueError):
    """A policy file contradicts its shape; found when it is loaded, never while a request waits."""


class RightNotOfferedError(ValueError):
    """The regime does not grant the right."""


class NotInForceError(RightNotOfferedError):
    """The regime or the right is not law on the day of receipt."""


@dataclass(frozen=True, eq=False)
class Regime:
    """One regime ready for use: its rules, its calendars, and the version that requests keep; loaded once."""

    rules: RegimeRules
    calendars: dict[str, BusinessCalendar]
    zone: ZoneInfo
    version: str

    @property
    def id(self) -> str:
        return self.rules.regime

    def offers(self, right: Right, day: date) -> bool:
        """Tell whether a request received on that day can ask for the right."""
        rules = self.rules.rights.get(right)
        return self.rules.offered and rules is not None and rules.effective.covers(day)

    def offered_rights(self, day: date) -> tuple[Right, ...]:
        return tuple(right for right in self.rules.rights if self.offers(right, day))

    def right(self, right: Right) -> RightRules:
        """Give the rules of a right, in force or to come."""
        rules = self.rules.rights.get(right)
        if rules is None:
            granted = ", ".join(self.rules.rights)
            raise RightNotOfferedError(f"right {right} does not exist in {self.id}; it grants {granted}")
        return rules


@cache
def regime_names() -> tuple[str, ...]:
    """List the regimes that have a file."""
    found = (entry.name for entry in files(_PACKAGE).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


@cache
def load_regime(name: str) -> Regime:
    """Load a regime by its name; the same object each time."""
    if name not in regime_names():
        raise UnknownRegimeError
    return read_regime(files(_PACKAGE).joinpath(f"{name}.yaml").read_bytes())


def read_regime(text: bytes) -> Regime:
    """Read one regime's YAML and join it with its place's holidays."""
    rules = parse_rules(text)
    common = _common_text()
    if rules.calendars is None:
        return assemble(rules, None, version=_version(text, common))
    table_text = table_of(rules.calendars)
    return assemble(rules, parse_calendars(table_text), version=_version(text, common, table_text))


@cache
def places() -> tuple[str, ...]:
    """List the places that have holiday tables."""
    found = (entry.name for entry in files(_PACKAGE).joinpath("calendars").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def table_of(place: str) -> bytes:
    return files(_PACKAGE).joinpath("calendars", f"{place}.yaml").read_bytes()


def parse_rules(text: bytes) -> RegimeRules:
    """Read one regime's YAML, or say where it is wrong; what it leaves out is the same in every regime."""
    document, common = read_yaml(text), _common()
    if document.get("shape") == STATE_SHAPE:
        document = expand(document, common["state_rights"])
    return RegimeRules.model_validate(common["defaults"] | document)


def parse_calendars(text: bytes) -> CalendarTable:
    """Read one place's holiday tables, or say where they are wrong."""
    return CalendarTable.model_validate(read_yaml(text))


def assemble(rules: RegimeRules, table: CalendarTable | None, *, version: str) -> Regime:
    """Join rules and calendars, checking that every calendar named exists."""
    built = holidays.build(table) if table else {}
    for right, right_rules in rules.rights.items():
        every = (right_rules.clocks, *(variant.clocks for variant in right_rules.variants))
        for clock, period in (pair for clocks in every for pair in periods(clocks)):
            missing = calendars_of(period) - built.keys()
            if missing:
                place = table.place if table else rules.regime
                raise BrokenPolicyError(f"{right}.{clock}: {place} has no calendar {min(missing)}")
    return Regime(rules=rules, calendars=built, zone=ZoneInfo(rules.time_zone), version=version)


@cache
def _common() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(_common_text())
    return found


def _common_text() -> bytes:
    return files(_PACKAGE).joinpath("defaults", "common.yaml").read_bytes()


def _version(*texts: bytes) -> str:
    """Name the exact bytes that the dates come from; hashed one by one, so that none runs into the next."""
    return sha256(b"".join(sha256(text).digest() for text in texts)).hexdigest()[:12]
