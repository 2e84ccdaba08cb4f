"""What a notice is about, as its task's body: dates, words of ours and counts. Who it goes to is sealed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from services.intake.domain.case import Did, IntakeCase, Kept, Part, Told
from shared.events.fulfillment import Resolution
from shared.events.intake import NoticeKind, Requester
from shared.policy import Right
from shared.privacy.claims import Language


class Letter(Part):
    """Everything that a template may say."""

    kind: NoticeKind
    business: str
    regime: str
    right: Right
    requester: Requester = "subject"
    received_on: date
    answer_by: date | None = None
    verify_by: date | None = None
    extend_to: date | None = None
    reasons: tuple[str, ...] = ()
    reasons_in: Mapping[Language, tuple[str, ...]] = Field(default_factory=dict)
    code_name: str | None = None
    expires_at: AwareDatetime | None = None
    resolution: Resolution | None = None
    asked: Right | None = None
    appealed: bool = False
    ground: str | None = None
    kept: tuple[Kept, ...] = ()
    backups_until: date | None = None
    done: tuple[Did, ...] = ()
    told: tuple[Told, ...] = ()
    has_package: bool = False
    give_access_key: bool = False
    collecting: bool = False
    by_hand: bool = False

    def to_body(self) -> dict[str, Any]:
        """The JSON of the task's body."""
        return self.model_dump(mode="json", exclude_defaults=True)


def letter(case: IntakeCase, kind: NoticeKind, **more: Any) -> Letter:
    """A letter about a received case; `more` is what its kind adds."""
    if case.clocks is None or case.right is None:
        raise ValueError("a request that was not received is told nothing")
    facts = {
        "kind": kind,
        "business": case.business,
        "regime": case.regime,
        "right": case.right,
        "requester": case.requester,
        "received_on": case.clocks.received_on,
        "answer_by": case.due.date if case.due else None,
        "verify_by": case.clocks.verify_by.date if case.clocks.verify_by else None,
    }
    return Letter.model_validate({**facts, **more})
