"""The request log of 11 CCR 7101(b): one line for each request, put together from its lifecycle events."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.fulfillment import RequestFulfilled
from shared.events.intake import RequestReceived, RequestWithdrawn
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from shared.policy import Right, load_regime

State = Literal["open", "closed"]
LOG_COLUMNS: Final = (
    "request_id",
    "business",
    "regime",
    "received_on",
    "nature",
    "manner",
    "requester",
    "responded_on",
    "response",
    "basis_for_denial",
    "answer_by",
    "extended",
    "in_time",
    "state",
)


class RequestRecord(BaseModel):
    """One request: when and how it was made, when and how it was answered, and why not, where it was not."""

    model_config = ConfigDict(frozen=True)

    request_id: UUID
    business: str
    regime: str
    right: Right
    manner: str
    requester: str
    received_on: date
    answer_by: date | None
    served_as: Right | None = None
    conclusion: str | None = None
    resolution: str | None = None
    ground: str | None = None
    responded_at: datetime | None = None
    withdrawn: bool = False
    extended: bool = False
    in_time: bool | None = None

    @property
    def state(self) -> State:
        return "open" if self.responded_at is None else "closed"

    @property
    def responded_on(self) -> date | None:
        """The day of the answer where the regime counts its days."""
        if self.responded_at is None:
            return None
        return self.responded_at.astimezone(zone_of(self.regime)).date()

    @property
    def days(self) -> int | None:
        """Calendar days from receipt to answer."""
        return (self.responded_on - self.received_on).days if self.responded_on else None

    def line(self) -> dict[str, Any]:
        """The log's line; it names no person."""
        values = self.model_dump(mode="json")
        return {
            **{name: values.get(name) for name in LOG_COLUMNS},
            "nature": self.right.value,
            "responded_on": self.responded_on.isoformat() if self.responded_on else None,
            "response": self.resolution,
            "basis_for_denial": self.ground,
            "state": self.state,
        }


def fold(stated: Iterable[tuple[UUID, Body]]) -> list[RequestRecord]:
    """The log, by day of receipt, from facts that may come in any order and more than once.

    A request whose receipt is not among them has no line yet.
    """
    known: dict[UUID, dict[str, Any]] = defaultdict(dict)
    for request_id, body in stated:
        if (tell := _TELLS.get(type(body))) is not None:
            known[request_id].update(tell(body))
    whole = [RequestRecord(request_id=one, **fields) for one, fields in known.items() if "business" in fields]
    return sorted(whole, key=lambda one: (one.received_on, one.request_id))


@cache
def zone_of(regime: str) -> ZoneInfo:
    return load_regime(regime).zone


def _received(body: RequestReceived) -> dict[str, Any]:
    due = body.clocks.answer_by
    return {
        "business": body.business,
        "regime": body.regime,
        "right": body.right,
        "manner": body.channel,
        "requester": body.requester,
        "received_on": body.clocks.received_on,
        "answer_by": due.date if due else None,
    }


def _concluded(body: VerificationConcluded) -> dict[str, Any]:
    return {"conclusion": body.conclusion, "served_as": body.right}


def _fulfilled(body: RequestFulfilled) -> dict[str, Any]:
    return {"resolution": body.resolution, "ground": body.ground}


def _closed(body: RequestClosed) -> dict[str, Any]:
    return {"resolution": body.resolution, "responded_at": body.answered_at, "in_time": body.in_time}


_TELLS: Final[dict[type[Body], Any]] = {
    RequestReceived: _received,
    RequestWithdrawn: lambda _: {"withdrawn": True},
    VerificationConcluded: _concluded,
    RequestFulfilled: _fulfilled,
    DeadlineExtended: lambda _: {"extended": True},
    RequestClosed: _closed,
}
