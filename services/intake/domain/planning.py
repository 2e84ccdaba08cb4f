"""Which notices are owed, and the tasks that send them."""

from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.case import ANSWER, Ending, IntakeCase, Notice
from services.intake.domain.letter import Letter, letter
from shared.events.intake import NoticeKind
from shared.machine.decision import TaskPlan
from shared.policy import Right


@dataclass(frozen=True, slots=True)
class Planned:
    """The case with its notices planned, and the tasks for them."""

    case: IntakeCase
    tasks: tuple[TaskPlan, ...] = ()


def plan_notice(
    case: IntakeCase, key: str, note: Letter, *, urgency: datetime, send_by: datetime | None = None
) -> Planned:
    """Plan a notice under a key, once."""
    if key in case.notices:
        return Planned(case)
    plan = TaskPlan(key=key, handler="notice", purpose="notice", urgency=urgency, body=note.to_body())
    return Planned(case.with_notice(key, Notice(kind=note.kind, send_by=send_by)), (plan,))


def plan_answer(case: IntakeCase, now: datetime) -> Planned:
    """The one answer, as soon as the request is both received and fulfilled, whichever was heard first."""
    if case.clocks is None or case.ending is None:
        return Planned(case)
    urgency = case.due.late_from if case.due else now
    return plan_notice(case, ANSWER, answer_of(case, case.ending), urgency=urgency)


def answer_of(case: IntakeCase, ending: Ending) -> Letter:
    """What a request is answered with."""
    return letter(
        case,
        _kind(ending),
        right=ending.right,
        asked=case.right if case.right not in (ending.right, Right.APPEAL) else None,
        appealed=case.right is Right.APPEAL,
        resolution=ending.resolution,
        ground=ending.ground,
        kept=ending.kept,
        backups_until=ending.backups_until,
        done=ending.done,
        told=ending.told,
        has_package=ending.package is not None,
        give_access_key=ending.package is not None and case.came_upstream,
    )


def _kind(ending: Ending) -> NoticeKind:
    kinds: dict[str, NoticeKind] = {"denied": "denial", "withdrawn": "withdrawal"}
    return kinds.get(ending.resolution, "answer")
