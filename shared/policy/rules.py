"""The shape of a regime's YAML: its rights and what each needs, whom it protects, what must be said and kept."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.policy.clockwork.periods import ClockRules, moving
from shared.policy.rights import Degree, Right
from shared.policy.sourced import Confidence, Identifier, Rule, Statement, Strict, Words

Residency = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z]{2,3})?$")]


class Fact(StrEnum):
    """What is true of a business, or of how a request came, and decides which rules it falls under."""

    DATA_BROKER = "data_broker"
    DIRECT_MARKETING_DISCLOSURE = "direct_marketing_disclosure"
    LARGE_PLATFORM = "large_platform"
    CONSUMER_HEALTH_DATA = "consumer_health_data"
    ESTABLISHED_IN_EU = "established_in_eu"
    ESTABLISHED_IN_UK = "established_in_uk"
    UNDESIGNATED_ADDRESS = "undesignated_address"


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
    """How often a right must be answered for one subject: in that many months, or in a calendar year."""

    times: int = Field(ge=1)
    months: int | None = Field(default=None, ge=1)
    calendar_year: bool = False

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if self.calendar_year == (self.months is not None):
            raise ValueError("give months or calendar_year, one of them")
        return self


class Variant(Rule):
    """Other clocks for the same right where a fact holds."""

    when: Fact
    words: Words
    clocks: ClockRules


class Applies(Rule):
    """Whom the regime protects: residents, where these facts hold, or anybody where one of `wherever` does."""

    residencies: tuple[Residency, ...]
    facts: tuple[Fact, ...] = ()
    wherever: tuple[Fact, ...] = ()


class RightRules(Rule):
    """Everything that one regime says of one right."""

    words: Words
    verification: Verification
    clocks: ClockRules
    agent: Agent | None = None
    on_unverified: OnUnverified | None = None
    wait: Wait | None = None
    frequency: Frequency | None = None
    variants: tuple[Variant, ...] = ()
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


class AutomaticExtension(Rule):
    """On which days before the answer is due named open tasks are reason enough to extend by ourselves."""

    days_before: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)


# How a request may end, in the words of RequestFulfilled.
Resolution = Literal["complete", "partial", "denied", "nothing_found", "withdrawn", "duplicate"]


class Span(Rule):
    """How long something is kept, counted from the event that its place in the file names."""

    months: int = Field(default=0, ge=0)
    days: int = Field(default=0, ge=0)


class KeySpan(Span):
    """What a closed request's key is kept for; `resolutions` names the endings that need it, all if it is empty."""

    resolutions: tuple[Resolution, ...] = ()


class Retention(Strict):
    """How long a request leaves a trace: the log counts from its last event, the rest from its closing."""

    request_log: Span
    settling: KeySpan
    appeal_window: KeySpan
    last_recheck: KeySpan
    package_link: KeySpan


class Rechecks(Rule):
    """When to look again whether what was deleted has come back, counted from the end of the request."""

    hours: tuple[Annotated[int, Field(ge=1)], ...] = ()
    days: tuple[Annotated[int, Field(ge=1)], ...] = ()

    def looks(self) -> Iterator[tuple[str, timedelta]]:
        """Give each look with the words for it, earliest first."""
        yield from ((_many(count, "hour"), timedelta(hours=count)) for count in sorted(self.hours))
        yield from ((_many(count, "day"), timedelta(days=count)) for count in sorted(self.days))

    @model_validator(mode="after")
    def _in_their_order(self) -> Self:
        if self.hours and self.days and max(self.hours) >= 24 * min(self.days):
            raise ValueError("hours come before days: give whole days as days")
        return self


def _many(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


class Cadence(Rule):
    """What must be done again at least every so many days, counted from when it was last done."""

    days: int = Field(ge=1)
    words: Words
    warn_days_before: tuple[Annotated[int, Field(ge=1)], ...] = ()


class RegimeRules(Rule):
    """One regime's file; `because` says why it is not offered."""

    regime: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z0-9]+)+$")]
    words: Words
    offered: bool
    because: Words | None = None
    time_zone: str
    calendars: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z0-9]+)*$")] | None = None
    applies: Applies
    degrees: dict[Degree, Evidence]
    verify_by: VerifyBy
    cadence: Cadence | None = None
    rights: dict[Right, RightRules] = Field(min_length=1)
    exemptions: tuple[Exemption, ...] = ()
    never_disclosed: tuple[Statement, ...] = ()
    notices: dict[Identifier, Notice] = Field(default_factory=dict)
    duties: tuple[Statement, ...] = ()
    warnings: Warnings
    automatic_extension: AutomaticExtension | None = None
    retention: Retention
    rechecks: Rechecks | None = None

    @model_validator(mode="after")
    def _what_is_looked_for_can_still_be_known(self) -> Self:
        kept = timedelta(days=self.retention.last_recheck.days + 28 * self.retention.last_recheck.months)
        looks = self.rechecks.looks() if self.rechecks else ()
        if any(after > kept for _, after in looks):
            raise ValueError("rechecks: the last look must come within retention.last_recheck")
        return self

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
        weak = sorted({name.split(".")[0] for name, _ in self.unconfirmed()})
        if self.offered and weak:
            raise ValueError(f"offered must be false while these are unconfirmed: {', '.join(weak)}")
        if self.offered == (self.because is not None):
            raise ValueError("because is given exactly when offered is false")
        return self

    @model_validator(mode="after")
    def _no_period_leaves_its_right_alone(self) -> Self:
        for name, rule in self.weighty():
            granted = self.rights[Right(name.split(".")[0])].effective
            if rule.effective.first > granted.first:
                raise ValueError(f"{name} begins later than the right that needs it")
            if rule.effective.last and (granted.last is None or rule.effective.last < granted.last):
                raise ValueError(f"{name} ends earlier than the right that needs it")
        return self

    def unconfirmed(self) -> Iterator[tuple[str, Rule]]:
        """Give each rule that moves a date or asks for proof and still waits for its official text."""
        for name, rule in self.weighty():
            if rule.confidence is Confidence.UNCONFIRMED:
                yield name, rule

    def weighty(self) -> Iterator[tuple[str, Rule]]:
        """Give each rule that a date or a proof rests on, by the right that needs it."""
        for right, rules in self.rights.items():
            yield right, rules
            yield f"{right}.verification", rules.verification
            for clocks in (rules.clocks, *(variant.clocks for variant in rules.variants)):
                yield from ((f"{right}.{name}", rule) for name, rule in moving(clocks))
