"""The shape of a regime's YAML: every rule says where it is written, since when, and how sure we are."""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.policy.rights import Degree, Right

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Words = Annotated[str, Field(min_length=3)]


class Strict(BaseModel):
    """Policy data: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Confidence(StrEnum):
    """How the statement was checked; only UNCONFIRMED keeps a right from being offered."""

    STATUTE = "S"
    TEXT_OF_2026 = "S26"
    TEXT_OF_2023 = "S23"
    UNCONFIRMED = "K"
    HOUSE_POLICY = "P"


class Effective(Strict):
    """The days on which a rule is law, both ends included."""

    first: date = Field(alias="from")
    last: date | None = Field(default=None, alias="to")

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


class Rule(Strict):
    """What every statement of law carries."""

    cite: Words
    effective: Effective
    confidence: Confidence


class BusinessDays(Rule):
    """A period in business days: scheduled on one calendar, still lawful on a more lenient one."""

    unit: Literal["business_day"]
    n: int = Field(ge=1)
    calendar: Identifier
    latest_calendar: Identifier


class CalendarDays(Rule):
    """A period in calendar days, scheduled unrolled; a roll over closed days only moves the latest date."""

    unit: Literal["calendar_day"]
    n: int = Field(ge=1)
    latest_roll: Identifier | None = None


Period = Annotated[BusinessDays | CalendarDays, Field(discriminator="unit")]


class Extension(CalendarDays):
    """The extended period, counted from receipt; its notice goes out before the first one ends."""

    times: Literal[1]


class ClockRules(Strict):
    """The periods that a right starts on receipt; one that is absent does not exist in this law."""

    acknowledge: Period | None = None
    respond: Period | None = None
    extend: Extension | None = None
    effective: Period | None = None

    @model_validator(mode="after")
    def _extension_extends_something(self) -> Self:
        if self.extend and not self.respond:
            raise ValueError("extend needs respond: there is nothing to extend")
        return self


class Evidence(Rule):
    """What reaches a degree without an account: reliable data points matched, and a signed declaration."""

    points: int = Field(ge=0)
    declaration: bool


class Verification(Rule):
    """The degree a right needs; `when_sensitive` is the higher one where a wrong answer would hurt."""

    degree: Degree
    when_sensitive: Degree | None = None


class Agent(Rule):
    """What may be asked of an agent; `confirm_with_subject` allows to ask the subject as well."""

    permission: Literal["signed"]
    confirm_with_subject: bool


class OnUnverified(Rule):
    """How a request ends whose requester could not be verified in time."""

    do: Literal["deny", "downgrade"]
    to: Right | None = None

    @model_validator(mode="after")
    def _a_downgrade_names_its_right(self) -> Self:
        if (self.do == "downgrade") != (self.to is not None):
            raise ValueError("to is given exactly when do is downgrade")
        return self


class Wait(Rule):
    """Months that must pass before the subject may be asked to change their mind."""

    months: int = Field(ge=1)


class Frequency(Rule):
    """How often a right must be answered for one subject."""

    times: int = Field(ge=1)
    months: int = Field(ge=1)


class Statement(Rule):
    """A duty, a ground or a kind of value, under an id that code and data files use."""

    id: Identifier
    words: Words


class RightRules(Rule):
    """Everything that one regime says of one right."""

    words: Words
    verification: Verification
    clocks: ClockRules
    agent: Agent | None = None
    on_unverified: OnUnverified | None = None
    wait: Wait | None = None
    frequency: Frequency | None = None
    duties: tuple[Statement, ...] = ()

    @model_validator(mode="after")
    def _a_right_without_verification_cannot_fail_it(self) -> Self:
        if (self.verification.degree is Degree.NONE) != (self.on_unverified is None):
            raise ValueError("on_unverified is given exactly when the right is verified")
        return self


class Exemption(Statement):
    """A lawful ground not to do part of what is asked."""

    rights: tuple[Right, ...] = Field(min_length=1)


class Notice(Rule):
    """What a notice of this kind must say, as ids that its template is checked against."""

    must_say: tuple[Identifier, ...] = Field(min_length=1)


class VerifyBy(Rule):
    """Days kept free for the answer: verification concludes that long before it is due."""

    answer_days: int = Field(ge=1)


class Warnings(Rule):
    """When a clock that runs out is pointed out: days before its date, at an hour of the local day."""

    hour: int = Field(ge=3, le=23)
    days_before: dict[Literal["acknowledge", "respond", "effective"], tuple[int, ...]]


class Span(Rule):
    """How long something is kept, counted from the event that its place in the file names."""

    months: int = Field(default=0, ge=0)
    days: int = Field(default=0, ge=0)


class Retention(Strict):
    """How long a request leaves a trace: the log counts from its last event, the rest from its closing."""

    request_log: Span
    appeal_window: Span
    last_recheck: Span
    package_link: Span


class RegimeRules(Rule):
    """One regime's file."""

    regime: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z0-9]+)+$")]
    words: Words
    offered: bool
    time_zone: str
    calendars: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z0-9]+)*$")]
    degrees: dict[Degree, Evidence]
    verify_by: VerifyBy
    rights: dict[Right, RightRules] = Field(min_length=1)
    exemptions: tuple[Exemption, ...]
    never_disclosed: tuple[Statement, ...]
    notices: dict[Identifier, Notice]
    warnings: Warnings
    retention: Retention

    @model_validator(mode="after")
    def _degrees_and_downgrades_resolve(self) -> Self:
        for right, rules in self.rights.items():
            asked = {rules.verification.degree, rules.verification.when_sensitive} - {None}
            if not asked <= self.degrees.keys():
                raise ValueError(f"{right} needs a degree that degrees does not describe")
            if rules.on_unverified and rules.on_unverified.to and rules.on_unverified.to not in self.rights:
                raise ValueError(f"{right} is downgraded to a right that the regime lacks")
        return self

    @model_validator(mode="after")
    def _an_offered_regime_is_confirmed(self) -> Self:
        weak = [right for right, rules in self.rights.items() if _unconfirmed(rules)]
        if self.offered and weak:
            raise ValueError(f"offered must be false while these are unconfirmed: {', '.join(weak)}")
        return self


def periods(clocks: ClockRules) -> Iterator[tuple[str, BusinessDays | CalendarDays]]:
    """Give each clock that the right has, with its name, in the order in which they run out."""
    for name in ("acknowledge", "effective", "respond", "extend"):
        rule = getattr(clocks, name)
        if rule is not None:
            yield name, rule


def _unconfirmed(rules: RightRules) -> bool:
    """Whether a rule that moves a date or asks for proof still waits for its official text."""
    weighty: list[Rule] = [rules, rules.verification, *(rule for _, rule in periods(rules.clocks))]
    return any(rule.confidence is Confidence.UNCONFIRMED for rule in weighty)
