"""A service that counts what it hears, and does what it is told: enough to see everything that the shell promises.

It plays verification, so that its records are types of the real catalogue. What a message asks for stands as words in
its one free field: `poison`, `refuse`, `task-a`, `hurry-a`, `wake-5`, `seal`, `close`; any other word is just heard.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from shared.events.commands import AnswerChallenge, PresentAssertion, SendNotice
from shared.events.intake import RequestWithdrawn
from shared.events.verification import ChallengeFailed
from shared.machine.decision import (
    Case,
    Context,
    Decision,
    Go,
    Kept,
    Message,
    Outgoing,
    Stop,
    TaskFinished,
    TaskPlan,
    Wait,
)


class Count(Case):
    """What was heard, whatever the order in which it came."""

    heard: tuple[str, ...] = ()
    woken: int = 0
    open: frozenset[str] = frozenset()
    ended: Mapping[str, str] = {}
    stop: bool = False
    wait: bool = False
    settled: bool = False


class Poison(Exception):
    """The bug of this domain."""


class CountingDomain:
    """Pure rules; `broken` is a bug that a new version mends."""

    name = "verification"
    case_type = Count

    def __init__(self) -> None:
        self.broken = True
        self.mended_for: set[str] = set()
        self.wakes_at_once_again = False

    def open(self, request_id: UUID) -> Count:
        return Count()

    def decide(self, case: Count, message: Message, context: Context) -> Decision[Count]:
        if isinstance(message.body, TaskFinished):
            return self._ended(case, message.body, context)
        words = words_of(message)
        if "poison" in words and self.broken and not self.mended_for & set(words):
            raise Poison(" ".join(words))
        if "refuse" in words:
            return Decision(case, refusal="told_to")
        heard = tuple(sorted((*case.heard, *words)))
        case = case.model_copy(update={"heard": heard, **_flags(words)})
        return self._obey(case, message, words, context)

    def wake(self, case: Count, context: Context) -> Decision[Count]:
        if "poison-wake" in case.heard and self.broken:
            raise Poison("wake")
        woken = case.model_copy(update={"woken": case.woken + 1})
        again = context.now if self.wakes_at_once_again else None
        commands = (_code(),) if "seal-when-woken" in case.heard else ()
        return Decision(woken, events=(_counted(woken),), commands=commands, wake_at=again)

    def permit(self, case: Count, key: str, purpose: str, context: Context) -> Go | Stop | Wait:
        if "poison-permit" in case.heard:
            raise Poison("permit")
        if case.settled:
            return Stop("completed", settled=True)
        if case.stop:
            return Stop("withdrawn")
        if case.wait:
            return Wait(context.now + timedelta(hours=1), "held")
        return Go()

    def _ended(self, case: Count, end: TaskFinished, context: Context) -> Decision[Count]:
        if end.result.get("poison") and self.broken:
            raise Poison("end")
        ended = {**case.ended, end.key: end.status}
        case = case.model_copy(update={"open": case.open - {end.key}, "ended": ended})
        return Decision(case, events=(_all_ended(),) if not case.open else (_counted(case),))

    def _obey(
        self, case: Count, message: Message, words: tuple[str, ...], context: Context
    ) -> Decision[Count]:
        tasks = tuple(
            _task(word.removeprefix("task-"), context) for word in words if word.startswith("task-")
        )
        case = case.model_copy(update={"open": case.open | {plan.key for plan in tasks}})
        waits = [int(word.removeprefix("wake-")) for word in case.heard if word.startswith("wake-")]
        return Decision(
            case,
            events=(_counted(case),),
            commands=(_code(),) if "seal" in words else (),
            tasks=tasks,
            keep=tuple(Kept("last", message.id, "field", word) for word in words if word.startswith("keep")),
            hurry=tuple(word.removeprefix("hurry-") for word in words if word.startswith("hurry-")),
            wake_at=message.at + timedelta(minutes=min(waits)) if waits else None,
            closes="close" in words,
        )


def words_of(message: Message) -> tuple[str, ...]:
    """What a message asks for."""
    match message.body:
        case (
            RequestWithdrawn(audit_head=text) | AnswerChallenge(code=text) | PresentAssertion(assertion=text)
        ):
            return tuple(text.split("_"))
    return (message.ce_type,)


def _flags(words: tuple[str, ...]) -> dict[str, bool]:
    if "go" in words:
        return {"stop": False, "wait": False}
    return {word: True for word in words if word in {"stop", "wait", "settled"}}


def _task(key: str, context: Context) -> TaskPlan:
    return TaskPlan(key=key, handler="count", purpose="act", urgency=context.now, body={"key": key})


def _code() -> Outgoing:
    notice = SendNotice(kind="verification_code", code="")
    return Outgoing(notice, seal={"code": b"12345"}, keep={"code": "code"})


def _counted(case: Count) -> Outgoing:
    return Outgoing(ChallengeFailed(method="none", reason="counted", attempts_left=len(case.heard)))


def _all_ended() -> Outgoing:
    return Outgoing(ChallengeFailed(method="none", reason="all_ended", attempts_left=0))
