"""What became of each request, in its services' own words: each new one must fit those before."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from shared.events.deadline import DeadlineApproaching, DeadlineExtended, DeadlineMissed, RequestClosed
from shared.events.fulfillment import RequestFulfilled
from shared.events.intake import NoticeSent, RequestReceived, RequestWithdrawn, SubmissionRefused
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from shared.policy import DueDate, compute_clocks, load_regime
from tests.support import almanac

ANSWERS = {"answer", "denial", "withdrawal"}
PROVED = {"verified", "downgraded"}


@dataclass
class Story:
    """What was committed about one request, by anybody."""

    received: RequestReceived | None = None
    refused: SubmissionRefused | None = None
    withdrawn: RequestWithdrawn | None = None
    verified: VerificationConcluded | None = None
    fulfilled: list[RequestFulfilled] = field(default_factory=list)
    extended: list[DeadlineExtended] = field(default_factory=list)
    closed: list[RequestClosed] = field(default_factory=list)
    notices: list[NoticeSent] = field(default_factory=list)
    placed: set[UUID] = field(default_factory=set)
    released: set[UUID] = field(default_factory=set)
    stopped: bool = False

    @property
    def held(self) -> set[UUID]:
        """The holds in force; commands come in any order, and one that was released first never comes into force."""
        return self.placed - self.released

    @property
    def cut_off(self) -> datetime | None:
        if self.verified is not None and self.verified.conclusion in PROVED:
            return self.verified.concluded_at
        return self.received.received_at if self.received else None


class Stories:
    """Every request's story; `open_tasks` looks into fulfillment's table, `mailed` is what mail servers took."""

    def __init__(self, open_tasks: Callable[[UUID], Sequence[str]]) -> None:
        self._open_tasks = open_tasks
        self.all: dict[UUID, Story] = defaultdict(Story)
        self.mailed: dict[str, list[tuple[datetime, str]]] = defaultdict(list)

    def tell(self, request_id: UUID, body: Body) -> None:
        """A fact about a request was committed."""
        story = self.all[request_id]
        match body:
            case RequestReceived():
                self._received(story, body)
            case SubmissionRefused():
                story.refused = body
            case RequestWithdrawn():
                assert story.withdrawn is None, "a request was withdrawn twice"
                story.withdrawn = body
            case VerificationConcluded():
                assert story.verified is None, "verification concluded twice"
                story.verified = body
            case NoticeSent():
                story.notices.append(body)
                answers = [one for one in story.notices if one.kind in ANSWERS]
                assert len(answers) <= 1, "a request was answered twice"
            case _:
                self._ending(request_id, story, body)

    def _ending(self, request_id: UUID, story: Story, body: Body) -> None:
        match body:
            case DeadlineExtended():
                self._extended(story, body)
            case DeadlineApproaching() | DeadlineMissed():
                _dated(story, body)
            case RequestFulfilled():
                story.fulfilled.append(body)
                assert not self._open_tasks(request_id), "a request was fulfilled with a task open"
                assert len(story.fulfilled) == 1, "a request was fulfilled twice"
            case RequestClosed():
                self._closed(story, body)

    def _received(self, story: Story, body: RequestReceived) -> None:
        assert story.received is None, "a request was received twice"
        clocks = compute_clocks(load_regime(body.regime), body.right, body.received_at)
        assert body.clocks == clocks, "a clock is not what the law says"
        dues = {name: due.date for name in almanac.DUES if (due := getattr(body.clocks, name)) is not None}
        opinion = almanac.expected(body.regime, body.right, almanac.Story(body.received_at))
        assert dues == opinion.scheduled, "a date is not the one that the checker written apart walks to"
        story.received = body

    def _extended(self, story: Story, body: DeadlineExtended) -> None:
        """A date moves once, to the lawful day, on a notice that really went out before the first one had passed."""
        story.extended.append(body)
        assert len(story.extended) == 1, "a date was moved twice"
        assert story.received is not None
        clocks = story.received.clocks
        assert clocks.respond_by is not None, "a right without a date was extended"
        assert body.respond_by == clocks.extend_to, "a date was moved to another day than the law's"
        assert body.notice_handed_over_at < clocks.respond_by.late_from, "an extension was told too late"
        told = [one for one in story.notices if one.kind == "extension"]
        assert body.notice_handed_over_at in {one.handed_over_at for one in told}, "no notice moved this date"
        for one in told:
            self._handed_over(one)

    def _closed(self, story: Story, body: RequestClosed) -> None:
        """Closed implies fulfilled, an answer, and that the answer really left."""
        story.closed.append(body)
        assert len(story.closed) == 1, "a request was closed twice"
        assert story.fulfilled, "a request was closed unfulfilled"
        answers = [one for one in story.notices if one.kind in ANSWERS]
        assert answers, "a request was closed without an answer"
        for one in answers:
            self._handed_over(one)
        assert body.resolution == story.fulfilled[0].resolution
        assert body.in_time == _in_time(story), "a closing does not say what the dates say"

    def _handed_over(self, notice: NoticeSent) -> None:
        at = [at for at, _ in self.mailed[str(notice.notice_id)]]
        assert notice.handed_over_at in at, f"no mail server took the notice {notice.kind}"


def _dated(story: Story, body: DeadlineApproaching | DeadlineMissed) -> None:
    """Whoever speaks of a date means the one that holds by now."""
    assert story.received is not None
    clocks = story.received.clocks
    dates: dict[str, DueDate | None] = {
        "acknowledge": clocks.acknowledge_by,
        "respond": clocks.due(extended=bool(story.extended)),
        "effective": clocks.effective_by,
    }
    assert body.due == dates[body.clock], "a clock stands on a date that is not its own"


def _in_time(story: Story) -> bool:
    """By the dates alone: the answer was handed over, or the request taken back, before it was late."""
    assert story.received is not None
    clocks = story.received.clocks
    due = clocks.effective_by or clocks.due(extended=bool(story.extended))
    times = [one.handed_over_at for one in story.notices if one.kind in ANSWERS]
    if story.withdrawn is not None and story.fulfilled[0].resolution == "withdrawn":
        times.append(story.withdrawn.withdrawn_at)
    return due is None or min(times) < due.late_from
