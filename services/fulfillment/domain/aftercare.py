"""What comes after the end: who stays suppressed, and whether what was deleted stays gone.

Its tasks stand in `later`, apart from those that a request's end waits for. What has come back is deleted again
under a task of its own, bound to the same rows and the same cut-off; each of both is a finding of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from services.fulfillment.domain import planning
from services.fulfillment.domain.case import FulfillmentCase
from services.fulfillment.domain.catalogue import Catalogue
from shared.events.commands import LiftSuppression, RecordReplay
from shared.events.fulfillment import (
    FindingAdded,
    OptedInEarly,
    SubjectSuppressed,
    SystemOutcome,
    TaskNeedsPerson,
)
from shared.machine.decision import Context, Decision, Go, Outgoing, Stop, TaskFinished, TaskPlan, Wait
from shared.policy import ask_again_from, load_regime
from shared.policy.dates import local_date
from shared.policy.rights import Right

SUPPRESS, LIFT, RECHECK, AGAIN = "suppress", "lift", "recheck", "again"
# An opt-out and a limit hold from the moment at which they are known (before a decision is made without a person, too:
# 11 CCR 7221(m)), a deletion once it is done.
AT_ONCE = frozenset({Right.OPT_OUT, Right.LIMIT, Right.OPT_OUT_ADMT})
WHEN_ENDED = frozenset({Right.DELETE, Right.OPT_IN})
DONE = frozenset({"complete", "partial", "nothing_found"})
HOLD_LOOKED_AT = timedelta(hours=1)
NOTHING_SUPPRESSED = "nothing_suppressed"
NOT_DELETED = "not_deleted"

Looks = Sequence[tuple[str, timedelta]]


@dataclass(frozen=True, slots=True)
class Aftercare:
    """What the policy says of each regime: when to look again, in which words."""

    looks: Mapping[str, Looks] = field(default_factory=dict)

    def of(self, regime: str) -> Looks:
        """The looks that a request of this regime gets."""
        return self.looks.get(regime, ())


@dataclass(frozen=True, slots=True)
class Suppression:
    """What holds of one keyed hash from now on, as the transaction found it; no right means nothing any more.

    `waited_until` is the day that what was taken back just now had named.
    """

    hash: str
    business: str
    rights: tuple[Right, ...]
    since: datetime
    version: int
    ask_again_from: date | None = None
    waited_until: date | None = None

    def record(self) -> Outgoing:
        """Its record, in the place of all earlier ones."""
        body = SubjectSuppressed(
            business=self.business,
            rights=self.rights,
            since=self.since,
            version=self.version,
            ask_again_from=self.ask_again_from,
        )
        return Outgoing(body, key=self.hash, over=not self.rights)


def suppress(
    case: FulfillmentCase, right: Right, now: datetime
) -> tuple[FulfillmentCase, tuple[TaskPlan, ...]]:
    """Have the person's hashes told to every system that asks, and until when nobody may ask them to opt in again."""
    body = {**_body(case, "", right), "ask_again_from": _ask_again_from(case, right, now)}
    return _plan(case, TaskPlan(SUPPRESS, SUPPRESS, "document", case.urgency, body=body))


def _ask_again_from(case: FulfillmentCase, right: Right, now: datetime) -> str | None:
    """Counted from now at first; the day of the answer, which the closing tells, can only be a later one."""
    regime = load_regime(case.regime)
    if right not in regime.rules.rights:
        return None
    day = ask_again_from(regime, right, local_date(now, regime.zone))
    return day.isoformat() if day else None


def lift(case: FulfillmentCase, right: Right) -> tuple[FulfillmentCase, tuple[TaskPlan, ...]]:
    """Take back what this request had suppressed."""
    key = f"{LIFT}:{case.lifts + 1}"
    lifting = case.model_copy(update={"lifts": case.lifts + 1, "suppressed": False})
    return _plan(lifting, TaskPlan(key, SUPPRESS, "document", case.urgency, body=_body(case, "", right)))


def after_the_end(
    case: FulfillmentCase, catalogue: Catalogue, care: Aftercare, now: datetime
) -> tuple[FulfillmentCase, tuple[TaskPlan, ...]]:
    """What an ended request leaves to be done."""
    right = case.right
    if right is None:
        return case, ()
    if case.resolution not in DONE:
        return lift(case, right) if case.suppressed else (case, ())
    plans: tuple[TaskPlan, ...] = ()
    case = case.model_copy(update={"ended_at": now})
    unsaid = SUPPRESS not in case.later and not case.suppressed and not case.lifts
    if right in WHEN_ENDED or (right in AT_ONCE and unsaid):
        case, plans = suppress(case, right, now)
    if right is Right.DELETE:
        for outcome in case.outcomes:
            if outcome.erased + outcome.deidentified and catalogue.proves(case.business, outcome.system):
                case, more = _look(case, outcome.system, 0, care)
                plans += more
    return case, plans


def permit(case: FulfillmentCase, key: str, context: Context, *, covered: bool) -> Go | Stop | Wait:
    """Looking and remembering destroy nothing; deleting again is bound by a hold as any deletion is."""
    if key == SUPPRESS and case.withdrawn_at is not None and case.stage != "ended":
        return Stop("withdrawn")
    if key.startswith(f"{AGAIN}:") and (case.is_held or covered):
        return Wait(context.now + HOLD_LOOKED_AT, "hold")
    return Go()


def finished(
    case: FulfillmentCase, body: TaskFinished, care: Aftercare, context: Context
) -> Decision[FulfillmentCase]:
    """Take over the end of one of these tasks."""
    if body.status == "needs_person":
        return _needs_person(case, body)
    kept = {"later": _without(case.later, body.key), "stuck": _without(case.stuck, body.key)}
    case = case.model_copy(update=kept)
    if body.status != "done":
        return Decision(case)
    match body.key.partition(":")[0]:
        case "recheck":
            return _looked(case, body, care, context)
        case "again":
            return _deleted_again(case, body, care, context)
        case "suppress":
            return _suppressed(case, context)
    return Decision(case, events=records(context))


def lifted_by_person(case: FulfillmentCase, body: LiftSuppression) -> Decision[FulfillmentCase]:
    """A person asks for it: the subject came back of their own will, or the record was a mistake."""
    del body
    if not case.suppressed or case.right is None:
        return Decision(case, refusal=NOTHING_SUPPRESSED)
    lifting, plans = lift(case, case.right)
    return Decision(lifting, tasks=plans)


def replayed(case: FulfillmentCase, body: RecordReplay, context: Context) -> Decision[FulfillmentCase]:
    """What came back with a backup, and that it went again: two findings, as after a look."""
    if case.stage != "ended" or case.right is not Right.DELETE:
        return Decision(case, refusal=NOT_DELETED)
    found = FindingAdded(
        system=body.system, kind="came_back", look="restore", count=body.rows, found_at=context.now
    )
    done = {"kind": "deleted_again", "receipt_digest": body.receipt_digest}
    return Decision(case, events=(Outgoing(found), Outgoing(found.model_copy(update=done))))


def _suppressed(case: FulfillmentCase, context: Context) -> Decision[FulfillmentCase]:
    """Who withdrew meanwhile is not suppressed after all."""
    case = case.model_copy(update={"suppressed": True})
    told = (*records(context), *_early(case, context))
    if case.resolution == "withdrawn" and case.right is not None:
        case, plans = lift(case, case.right)
        return Decision(case, events=told, tasks=plans)
    return Decision(case, events=told)


def _early(case: FulfillmentCase, context: Context) -> Iterator[Outgoing]:
    """Nobody may have asked the person to opt in before that day: whether anybody did, people have to find out."""
    if case.right is not Right.OPT_IN:
        return
    waited = max((one.waited_until for one in _found(context) if one.waited_until), default=None)
    if waited is not None and waited > local_date(context.now, load_regime(case.regime).zone):
        yield Outgoing(OptedInEarly(ask_again_from=waited))


def _looked(
    case: FulfillmentCase, body: TaskFinished, care: Aftercare, context: Context
) -> Decision[FulfillmentCase]:
    _, system, number = body.key.split(":")
    look, left = int(number), int(body.result.get("left", 0))
    case, plans = _look(case, system, look + 1, care)
    if not left:
        return Decision(case, tasks=plans)
    case, more = _again(case, system, look)
    word = care.of(case.regime)[look][0]
    finding = FindingAdded(system=system, kind="came_back", look=word, count=left, found_at=context.now)
    return Decision(case, events=(Outgoing(finding),), tasks=(*plans, *more))


def _deleted_again(
    case: FulfillmentCase, body: TaskFinished, care: Aftercare, context: Context
) -> Decision[FulfillmentCase]:
    outcome = SystemOutcome.model_validate(body.result["outcome"])
    finding = FindingAdded(
        system=outcome.system,
        kind="deleted_again",
        look=care.of(case.regime)[int(body.key.split(":")[2])][0],
        count=outcome.erased + outcome.deidentified,
        receipt_digest=outcome.receipt_digest,
        found_at=context.now,
    )
    return Decision(case, events=(Outgoing(finding),))


def _needs_person(case: FulfillmentCase, body: TaskFinished) -> Decision[FulfillmentCase]:
    stuck = case.model_copy(update={"stuck": tuple(sorted({*case.stuck, body.key}))})
    event = TaskNeedsPerson(
        system=planning.system_of(body.key),
        task=body.key,
        kind=str(body.result.get("kind", "refused")),
        reason=str(body.result.get("reason", "")),
    )
    return Decision(stuck, events=(Outgoing(event),))


def _look(
    case: FulfillmentCase, system: str, number: int, care: Aftercare
) -> tuple[FulfillmentCase, tuple[TaskPlan, ...]]:
    """The next look at one system, if there is one; its time counts from the end, so late ones do not add up."""
    looks = care.of(case.regime)
    if number >= len(looks) or case.ended_at is None:
        return case, ()
    body = _body(case, system, Right.DELETE)
    run_at = case.ended_at + looks[number][1]
    key = f"{RECHECK}:{system}:{number}"
    return _plan(case, TaskPlan(key, RECHECK, "document", run_at, run_at=run_at, body=body))


def _again(case: FulfillmentCase, system: str, number: int) -> tuple[FulfillmentCase, tuple[TaskPlan, ...]]:
    """The linked task: its urgency is the request's own, which is over, so nothing goes before it."""
    body = _body(case, system, Right.DELETE)
    return _plan(case, TaskPlan(f"{AGAIN}:{system}:{number}", "act", "act", case.urgency, body=body))


def _body(case: FulfillmentCase, system: str, right: Right) -> dict[str, Any]:
    body = planning.body_of(case, system, right)
    earlier = {"earlier": planning.act_key(system, right)} if system else {"business": case.business}
    return {**body, **earlier}


def _plan(case: FulfillmentCase, plan: TaskPlan) -> tuple[FulfillmentCase, tuple[TaskPlan, ...]]:
    later = tuple(sorted({*case.later, plan.key}))
    return case.model_copy(update={"later": later}), (plan,)


def records(context: Context) -> tuple[Outgoing, ...]:
    """What holds from now on of every hash that the transaction touched for this request."""
    return tuple(one.record() for one in _found(context))


def _found(context: Context) -> tuple[Suppression, ...]:
    found = context.facts if isinstance(context.facts, tuple) else ()
    return tuple(one for one in found if isinstance(one, Suppression))


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(each for each in keys if each != key)
