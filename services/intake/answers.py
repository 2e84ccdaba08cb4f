"""What the HTTP interface answers: dates, states and links, never who asked."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.domain.case import IntakeCase, NoticeState, State
from shared.events.fulfillment import Resolution
from shared.events.intake import NoticeKind
from shared.events.verification import Conclusion
from shared.policy import DueDate, Right


class Dates(BaseModel):
    """The dates that a request must keep; one that its right does not have is null."""

    acknowledge_by: date | None = None
    respond_by: date | None = None
    effective_by: date | None = None


class Receipt(Dates):
    """A request was received. The secret is shown here and nowhere else: keep it."""

    request_id: UUID
    secret: str = Field(repr=False, description="Opens this request's status, withdrawal and answer.")
    right: Right
    received_at: AwareDatetime
    links: dict[str, str]
    by_signal: "Receipt | None" = Field(
        default=None,
        exclude_if=lambda one: one is None,
        description="The opt-out that the browser's signal (Sec-GPC: 1) made beside it.",
    )

    @classmethod
    def of(cls, request_id: UUID, case: IntakeCase, secret: str) -> Self:
        return cls.model_validate(
            {
                **_dates(case),
                "request_id": request_id,
                "secret": secret,
                "right": case.right,
                "received_at": case.received_at,
                "links": _links(request_id, case),
            }
        )


class NoticeGiven(BaseModel):
    """One notice and whether it went out."""

    kind: NoticeKind
    state: NoticeState
    handed_over_at: AwareDatetime | None = None


class RequestStatus(Dates):
    """Where a request stands."""

    request_id: UUID
    state: State
    business: str
    right: Right
    received_at: AwareDatetime
    received_on: date | None = Field(
        default=None, description="The day of receipt where the law counts, from which the dates run."
    )
    follows: UUID | None = Field(default=None, description="The earlier request that this one follows from.")
    answer_by: date | None = Field(description="The date of the answer, after an extension or without one.")
    extended: bool
    verification: Conclusion | None = None
    resolution: Resolution | None = None
    resolved_right: Right | None = Field(
        default=None, description="What was done, where another right was asked."
    )
    withdrawn_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    notices: list[NoticeGiven]
    links: dict[str, str]

    @classmethod
    def of(cls, request_id: UUID, case: IntakeCase) -> Self:
        ending = case.ending
        return cls.model_validate(
            {
                **_dates(case),
                "request_id": request_id,
                "state": case.state,
                "business": case.business,
                "right": case.right,
                "received_at": case.received_at,
                "received_on": case.clocks.received_on if case.clocks else None,
                "follows": case.linked.request_id if case.linked else None,
                "answer_by": _day(case.due),
                "extended": case.extended is not None,
                "verification": case.verified.conclusion if case.verified else None,
                "resolution": ending.resolution if ending else None,
                "resolved_right": ending.right if ending and ending.right != case.right else None,
                "withdrawn_at": case.withdrawn_at,
                "answered_at": case.answered_at,
                "closed_at": case.closed_at,
                "notices": [notice.model_dump(exclude={"send_by"}) for notice in case.notices.values()],
                "links": _links(request_id, case),
            }
        )


def _dates(case: IntakeCase) -> dict[str, date | None]:
    clocks = case.clocks
    return {name: _day(getattr(clocks, name)) for name in Dates.model_fields} if clocks else {}


def _day(due: DueDate | None) -> date | None:
    return due.date if due else None


def _links(request_id: UUID, case: IntakeCase) -> dict[str, str]:
    """What can be done next, by name."""
    here = f"/requests/{request_id}"
    offered = {
        "self": True,
        "withdrawal": case.is_open,
        "verification": case.is_open and bool(case.clocks and case.clocks.verify_by) and not case.verified,
        "package": bool(case.ending and case.ending.package),
        "letter": bool(case.ending),
    }
    paths = {"self": "", "package": "/package/link"}
    return {name: here + paths.get(name, f"/{name}") for name, given in offered.items() if given}
