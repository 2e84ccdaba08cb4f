"""What is told of one request for the log of 11 CCR 7101(b) and the yearly figures, from its lifecycle events."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.fulfillment import RequestFulfilled
from shared.events.intake import RequestReceived, RequestWithdrawn
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from shared.policy import Regime, Right, load_regime, log_kept_through

State = Literal["open", "closed"]
ANSWERED: Final = frozenset({"complete", "partial", "nothing_found"})
UNVERIFIED: Final = "identity_not_verified"
Line = Mapping[str, str | bool | date | None]
# The log's fields are those of 11 CCR 7101(b), behind the request's number and its business.
LOG_COLUMNS: Final = (
    "request_id",
    "business",
    "date_of_request",
    "nature_of_request",
    "manner_of_request",
    "date_of_response",
    "nature_of_response",
    "basis_for_denial",
)
DETAILS: Final = (
    "regime",
    "requester",
    "answer_by",
    "extended",
    "in_time",
    "state",
    "last_event",
    "kept_through",
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
    answer_by: date | None = None
    served_as: Right | None = None
    conclusion: str | None = None
    resolution: str | None = None
    ground: str | None = None
    exemptions: str | None = None
    responded_at: AwareDatetime | None = None
    withdrawn: bool = False
    extended: bool = False
    in_time: bool | None = None
    last_event_at: AwareDatetime

    @property
    def state(self) -> State:
        return "open" if self.responded_at is None else "closed"

    @property
    def responded_on(self) -> date | None:
        """The day of the answer where the regime counts its days."""
        return None if self.responded_at is None else self._day(self.responded_at)

    @property
    def last_event_on(self) -> date:
        return self._day(self.last_event_at)

    @property
    def kept_through(self) -> date | None:
        """The last day on which the log must hold it (11 CCR 7101(a)); none while the request is open."""
        return log_kept_through(_regime(self.regime), self.last_event_on) if self.responded_at else None

    def is_kept(self, now: datetime) -> bool:
        """Whether the log still has to hold it."""
        return self.kept_through is None or self._day(now) <= self.kept_through

    @property
    def days(self) -> int | None:
        """Calendar days from receipt to answer."""
        return (self.responded_on - self.received_on).days if self.responded_on else None

    @property
    def is_lessened(self) -> bool:
        """Whether another right was answered, since who asked could not be verified for this one (11 CCR 7024(a))."""
        return self.conclusion == "downgraded" and self.resolution in ANSWERED

    @property
    def basis(self) -> str | None:
        """Why it was denied, in whole or in part, with the exemptions that were applied."""
        own = f"{self.ground}: {self.exemptions}" if self.ground and self.exemptions else self.ground
        said = [*([UNVERIFIED] if self.is_lessened else []), *([own] if own else [])]
        return "; ".join(said) or None

    @property
    def response(self) -> str | None:
        """How it was answered; a right that took the place of the one asked for is named."""
        return f"{self.resolution}, as {self.served_as}" if self.is_lessened else self.resolution

    def line(self, *, details: bool = False) -> Line:
        """The log's line; it names no person."""
        told: Line = {
            "request_id": str(self.request_id),
            "business": self.business,
            "date_of_request": self.received_on,
            "nature_of_request": self.right.value,
            "manner_of_request": self.manner,
            "date_of_response": self.responded_on,
            "nature_of_response": self.response if self.responded_at else None,
            "basis_for_denial": self.basis if self.responded_at else None,
        }
        return {**told, **self._details()} if details else told

    def _details(self) -> Line:
        return {
            "regime": self.regime,
            "requester": self.requester,
            "answer_by": self.answer_by,
            "extended": self.extended,
            "in_time": self.in_time,
            "state": self.state,
            "last_event": self.last_event_on,
            "kept_through": self.kept_through,
        }

    def _day(self, at: datetime) -> date:
        return at.astimezone(_regime(self.regime).zone).date()


def tells(body: Body) -> Mapping[str, Any]:
    """What one lifecycle event says of its request; no two kinds of event contradict each other."""
    tell = _TELLS.get(type(body))
    return tell(body) if tell is not None else {}


@cache
def _regime(name: str) -> Regime:
    return load_regime(name)


def _received(body: RequestReceived) -> Mapping[str, Any]:
    due = body.clocks.answer_by
    return {
        "business": body.business,
        "regime": body.regime,
        "right": body.right.value,
        "manner": body.channel,
        "requester": body.requester,
        "received_on": body.clocks.received_on.isoformat(),
        "answer_by": due.date.isoformat() if due else None,
    }


def _concluded(body: VerificationConcluded) -> Mapping[str, Any]:
    return {"conclusion": body.conclusion, "served_as": body.right.value}


def _fulfilled(body: RequestFulfilled) -> Mapping[str, Any]:
    used = {one.exemption for system in body.systems for one in system.retained}
    return {
        "resolution": body.resolution,
        "ground": body.ground,
        "exemptions": ", ".join(sorted(used)) or None,
    }


def _closed(body: RequestClosed) -> Mapping[str, Any]:
    answered = body.answered_at.isoformat()
    return {"resolution": body.resolution, "responded_at": answered, "in_time": body.in_time}


_TELLS: Final[Mapping[type[Body], Callable[[Any], Mapping[str, Any]]]] = {
    RequestReceived: _received,
    RequestWithdrawn: lambda _: {"withdrawn": True},
    VerificationConcluded: _concluded,
    RequestFulfilled: _fulfilled,
    DeadlineExtended: lambda _: {"extended": True},
    RequestClosed: _closed,
}
