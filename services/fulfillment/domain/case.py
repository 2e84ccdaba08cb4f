"""What fulfillment knows about one request: no identity, and small enough to be read with every message."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events.fulfillment import PackageReference, Resolution, SystemOutcome
from shared.events.intake import Linked
from shared.events.verification import Conclusion
from shared.machine.decision import Case
from shared.policy.rights import Right

Stage = Literal["waiting", "joining", "reviewing", "matching", "acting", "packaging", "ended"]
PROVED: frozenset[Conclusion] = frozenset({"verified", "downgraded"})
POSITIVE: frozenset[Conclusion] = PROVED | {"not_needed"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Verified(_Part):
    """How verification ended; `right` is what may be done now."""

    conclusion: Conclusion
    right: Right
    concluded_at: AwareDatetime

    @property
    def allows(self) -> bool:
        return self.conclusion in POSITIVE

    @property
    def is_proved(self) -> bool:
        """Whether somebody proved who they are, if only to the degree of a lesser right."""
        return self.conclusion in PROVED


class Part(_Part):
    """One system's sealed contribution to an answer, and the id that it is sealed and filed under."""

    system: str
    part_id: UUID


class Directive(_Part):
    """What one vendor was told, and what it said to that.

    `look_at` is when its silence is looked at next. `settled` ends the wait: by the vendor's word, or by a person's,
    which may be that it cannot be had. `again` says that a person wants it told once more.
    """

    vendor: str
    title: str = ""
    id: UUID
    told_at: AwareDatetime
    receipt_by: AwareDatetime
    due_at: AwareDatetime
    look_at: AwareDatetime
    messages: int = 1
    received_at: AwareDatetime | None = None
    refused: str | None = None
    again: bool = False
    settled: Literal["done", "nothing", "impossible", "disproportionate"] | None = None
    by_person: bool = False
    digest: str | None = None
    facts: str | None = None
    evidence: str | None = None

    @property
    def next_look(self) -> datetime:
        """When to look for what is owed next: the receipt, or after that the outcome."""
        return self.look_at if self.received_at is None else max(self.look_at, self.due_at)


class Word(_Part):
    """What a person says of a system's task that no machine could prove; `digest` is of their signed command."""

    key: str
    outcome: Literal["done", "nothing"]
    evidence: str
    digest: str


class Review(_Part):
    """What a person has to decide before anything is done, and what they decided; `words` are for them."""

    words: str
    decided: Literal["grant", "deny"] | None = None
    reason: str | None = None


class FulfillmentCase(Case):
    """One request as fulfillment sees it.

    `open` holds the keys of all unfinished tasks, those that wait for a person (`stuck`) among them: the
    request may end only when it is empty. `systems` is the catalogue's answer on the day of planning, kept
    because the catalogue may change while a request runs. A released hold is remembered, since it may be
    heard of before it was placed; so are the tasks that a person completed, which nobody has to prove any more.
    `answered_before` is when the same person's earlier requests came that were answered, where the law limits how many.
    `later` holds the keys of what is still to be looked at after the end: nothing waits for that. A case that is
    `standing` is no request, but a hold that stands by itself. `untold` holds the keys of ended tasks that nobody
    outside has heard of; unless the request ends before, that is told at `tell_at`.
    """

    business: str = ""
    regime: str = ""
    asked: Right | None = None
    received_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    linked: Linked | None = None
    extended_to: AwareDatetime | None = None
    withdrawn_at: AwareDatetime | None = None
    verified: Verified | None = None
    duplicate_of: UUID | None = None
    answered_before: tuple[AwareDatetime, ...] = ()
    review: Review | None = None
    denial: str | None = None
    placed_holds: tuple[UUID, ...] = ()
    released_holds: tuple[UUID, ...] = ()
    stage: Stage = "waiting"
    systems: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    completed: tuple[Word, ...] = ()
    outcomes: tuple[SystemOutcome, ...] = ()
    parts: tuple[Part, ...] = ()
    untold: tuple[str, ...] = ()
    tell_at: AwareDatetime | None = None
    directives: tuple[Directive, ...] = ()
    package: PackageReference | None = None
    resolution: Resolution | None = None
    ended_at: AwareDatetime | None = None
    later: tuple[str, ...] = ()
    suppressed: bool = False
    lifts: int = 0
    closed_at: AwareDatetime | None = None
    standing: Literal["placed", "released"] | None = None

    def word_on(self, key: str) -> Word | None:
        """What a person said of this task."""
        return next((word for word in self.completed if word.key == key), None)

    @property
    def right(self) -> Right | None:
        """What is done: after a downgrade another right than was asked, after an appeal what was denied before."""
        if self.review and self.review.decided == "grant" and self.linked and self.linked.kind == "appeal":
            return self.linked.right
        return self.verified.right if self.verified else self.asked

    @property
    def is_held(self) -> bool:
        return bool(set(self.placed_holds) - set(self.released_holds))

    def is_held_by(self, hold_id: UUID) -> bool:
        """Whether this hold is in force."""
        return hold_id in self.placed_holds and hold_id not in self.released_holds

    def directive_to(self, vendor: str) -> Directive | None:
        """What a vendor was told, if it was."""
        return next((one for one in self.directives if one.vendor == vendor), None)

    def with_directive(self, directive: Directive) -> "FulfillmentCase":
        """The case with what a vendor was told as it is now; in the order of names."""
        others = (one for one in self.directives if one.vendor != directive.vendor)
        ordered = sorted((*others, directive), key=lambda one: one.vendor)
        return self.model_copy(update={"directives": tuple(ordered)})

    @property
    def urgency(self) -> datetime:
        """The first instant at which the answer is late; a right without a clock is due at once."""
        due = self.extended_to or self.due_at or self.received_at
        assert due is not None  # noqa: S101 - asked only of a received request
        return due

    @property
    def cut_off(self) -> datetime:
        """What came to be later is not part of the request: the moment of proof, else of receipt."""
        if self.verified and self.verified.is_proved:
            return self.verified.concluded_at
        assert self.received_at is not None  # noqa: S101 - asked only of a received request
        return self.received_at
