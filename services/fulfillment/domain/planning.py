"""From a case with nothing open to its next tasks: join, review, match, act, package, in this order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.fulfillment.domain.case import Directive, FulfillmentCase, Part, Review
from services.fulfillment.domain.catalogue import Catalogue, Period, SystemEntry
from shared.events.fulfillment import NamedSystem, TasksPlanned
from shared.machine.decision import Outgoing, TaskPlan
from shared.policy.rights import Right

JOIN = "join"
REVIEW = "review"
PACKAGE = "package"
WAIT = "await"
KNOW = frozenset({Right.KNOW_SPECIFIC, Right.KNOW_CATEGORIES})
# A hold is a duty to keep what is there: it stops what erases or overwrites, and nothing else.
DESTRUCTIVE = frozenset({Right.DELETE, Right.CORRECT})

Step = tuple[FulfillmentCase, tuple[Outgoing, ...], tuple[TaskPlan, ...]]


def act_key(system: str, right: Right) -> str:
    return f"act:{system}:{right}"


def wait_key(vendor: str, right: Right, messages: int) -> str:
    """The task that waits for a vendor's word after so many messages."""
    return f"{WAIT}:{vendor}:{right}:{messages}"


def is_wait(key: str) -> bool:
    """Whether a task waits for a vendor."""
    return key.startswith(f"{WAIT}:")


def is_act(key: str) -> bool:
    """Whether a task does something at a system."""
    return key.startswith("act:")


def right_of(key: str) -> Right:
    """The right that a system's task is about."""
    return Right(key.split(":")[2])


def match_key(system: str) -> str:
    return f"match:{system}"


def system_of(key: str) -> str:
    """The system that a task is about; empty for a task about the whole request."""
    parts = key.split(":")
    return parts[1] if len(parts) > 1 else ""


def plan_join(case: FulfillmentCase) -> Step:
    """Wait for the request that asked for the same first."""
    plan = TaskPlan(JOIN, "join", "document", case.urgency, body={"first": str(case.duplicate_of)})
    return _with(case.model_copy(update={"stage": "joining"}), (plan,))


def plan_review(case: FulfillmentCase, review: Review) -> Step:
    """Have a person decide before anything is done."""
    plan = TaskPlan(REVIEW, REVIEW, "document", case.urgency, body={"words": review.words})
    return _with(case.model_copy(update={"stage": "reviewing", "review": review}), (plan,))


def plan_match(case: FulfillmentCase, catalogue: Catalogue, right: Right, now: datetime) -> Step | None:
    """Ask the identity sources for identifiers that other systems need; None where none is needed."""
    plans = tuple(
        TaskPlan(
            match_key(name),
            "match",
            "match",
            case.urgency,
            body={**body_of(case, name, right), "kinds": kinds},
        )
        for name, kinds in catalogue.to_match(case.business, right, _period(case, now)).items()
    )
    return _with(case.model_copy(update={"stage": "matching"}), plans) if plans else None


def plan_acts(case: FulfillmentCase, catalogue: Catalogue, right: Right, now: datetime) -> Step:
    """One task for each system that serves the right; none where no system does."""
    return _asked(case, catalogue.serving(case.business, right, _period(case, now)), right)


def plan_more(case: FulfillmentCase, catalogue: Catalogue, right: Right, now: datetime) -> Step | None:
    """Tell the vendors that got data while the others were asked; None where there are none (11 CCR 7026(f)(2))."""
    period = _period(case, now)
    more = catalogue.to_be_told_too(case.systems, case.business, right, period)
    return _asked(case, more, right) if more else None


def plan_package(case: FulfillmentCase, right: Right) -> Step:
    """Put what the systems gave into one answer."""
    body = {"right": right, "business": case.business, "parts": _parts(case.parts)}
    plan = TaskPlan(PACKAGE, "package", "document", case.urgency, body=body)
    return _with(case.model_copy(update={"stage": "packaging"}), (plan,))


def plan_wait(case: FulfillmentCase, directive: Directive, right: Right) -> Step:
    """Look at what a vendor says to so many messages, once its time is over."""
    key = wait_key(directive.vendor, right, directive.messages)
    body = body_of(case, directive.vendor, right)
    return _with(case, (TaskPlan(key, "tell", "act", case.urgency, run_at=directive.look_at, body=body),))


def _asked(case: FulfillmentCase, entries: tuple[SystemEntry, ...], right: Right) -> Step:
    names = tuple(entry.name for entry in entries)
    plans = tuple(
        TaskPlan(
            act_key(e.name, right), _handler(e, right), "act", case.urgency, body=body_of(case, e.name, right)
        )
        for e in entries
    )
    named = tuple(NamedSystem(system=e.name, title=e.title, titles=e.titles) for e in entries if e.title)
    planned = (Outgoing(TasksPlanned(right=right, systems=names, named=named)),) if names else ()
    acting = case.model_copy(update={"stage": "acting", "systems": (*case.systems, *names)})
    return _with(acting, plans, planned)


def _period(case: FulfillmentCase, now: datetime) -> Period:
    assert case.received_at is not None  # noqa: S101 - only a received request is planned
    return Period(case.received_at, now)


def _handler(entry: SystemEntry, right: Right) -> str:
    if entry.told:
        return "tell"
    return "export" if right in KNOW else "act"


def _parts(parts: Iterable[Part]) -> list[dict[str, str]]:
    return [{"system": part.system, "part_id": str(part.part_id)} for part in parts]


def body_of(case: FulfillmentCase, system: str, right: Right) -> dict[str, Any]:
    """What a handler must know; `proved` says that only proved identifiers may be used to find the person."""
    proved = case.verified is not None and case.verified.is_proved
    return {"system": system, "right": right, "cut_off": case.cut_off.isoformat(), "proved": proved}


def _with(case: FulfillmentCase, plans: tuple[TaskPlan, ...], events: tuple[Outgoing, ...] = ()) -> Step:
    keys = {plan.key for plan in plans}
    return case.model_copy(update={"open": tuple(sorted({*case.open, *keys}))}), events, plans
