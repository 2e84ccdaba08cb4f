"""One request under the eyes of the deadline service."""

from datetime import datetime, timedelta

from services.deadline.domain import DeadlineCase, DeadlineDomain
from shared.events.commands import ExtendDeadline, SendNotice
from shared.events.deadline import (
    DeadlineApproaching,
    DeadlineExtended,
    DeadlineMissed,
    DeadlineMissWithdrawn,
    RequestClosed,
)
from shared.events.intake import NoticeKind
from shared.events.journal import command_answer
from shared.events.message import Event
from shared.machine.decision import Message
from shared.policy import DueDate
from tests.support import facts
from tests.support.domain_driver import DomainDriver, Messages, Step

REASONS = ("many records in an archive",)


class Watched:
    """A driver over one deadline case, in the words of its tests."""

    def __init__(self, right: str = "delete", received_at: datetime = facts.RECEIVED_AT) -> None:
        self.right = right
        self.received_at = received_at
        self.clocks = facts.clocks(right, received_at)
        self.driver: DomainDriver[DeadlineCase] = DomainDriver(DeadlineDomain(), received_at)
        self.messages = Messages()

    @property
    def case(self) -> DeadlineCase:
        return self.driver.case

    @property
    def due(self) -> DueDate:
        due = self.clocks.answer_by
        assert due is not None
        return due

    @property
    def extend_to(self) -> DueDate:
        due = self.clocks.extend_to
        assert due is not None
        return due

    @property
    def stated(self) -> list[str]:
        """What was said of the clocks so far, in words."""
        return [words for one in self.driver.sent if (words := _words(one.body)) is not None]

    @property
    def closings(self) -> list[RequestClosed]:
        return self.driver.bodies(RequestClosed)

    def at(self, *, days: float) -> datetime:
        return self.received_at + timedelta(days=days)

    def receive(self) -> Step[DeadlineCase]:
        return self.hear(facts.received(self.right, self.received_at))

    def acknowledge(self) -> Step[DeadlineCase]:
        return self.notice("acknowledgement")

    def notice(self, kind: NoticeKind, at: datetime | None = None) -> Step[DeadlineCase]:
        return self.hear(facts.notice_sent(kind, at or self.driver.now))

    def hear(self, body: Event) -> Step[DeadlineCase]:
        return self.driver.deliver(self.messages.event(body, at=self.driver.now))

    def hear_in_time(self) -> None:
        """Received and acknowledged at once."""
        self.receive()
        self.acknowledge()

    def ask_extension(self, reasons: tuple[str, ...] = REASONS) -> Step[DeadlineCase]:
        return self.driver.deliver(self.extension_command(reasons))

    def extension_command(self, reasons: tuple[str, ...] = REASONS) -> Message:
        body = ExtendDeadline(reasons=reasons, actor="officer")
        return self.messages.command(body, at=self.driver.now)

    def intake_refuses(self, source: str = "habeas/deadline") -> Step[DeadlineCase]:
        """Intake would not send a notice that `source` asked for."""
        refused = command_answer(
            "intake",
            command_id=self.messages.request_id,
            source=source,
            ce_type=SendNotice.declared.ce_type,
            refused="not_open",
        )
        return self.hear(refused)

    def read_back_extension(self) -> Step[DeadlineCase]:
        """Our own DeadlineExtended comes back from its topic."""
        sent = next(one for one in self.driver.sent if isinstance(one.body, DeadlineExtended))
        return self.driver.deliver(self.driver.read_back(sent))

    def pass_until(self, instant: datetime) -> None:
        self.driver.pass_time(instant)

    def sleep_until(self, instant: datetime) -> None:
        """Nobody is there to wake the case: an outage."""
        self.driver.now = instant
        if self.driver.wake_at is not None and self.driver.wake_at <= instant:
            self.driver.wake()


def _words(body: object) -> str | None:
    match body:
        case DeadlineApproaching(clock=clock, days_left=left):
            return f"{clock} in {left}"
        case DeadlineMissed(clock=clock):
            return f"{clock} missed"
        case DeadlineMissWithdrawn(clock=clock):
            return f"{clock} not missed"
        case DeadlineExtended():
            return "extended"
        case RequestClosed():
            return "closed"
    return None
