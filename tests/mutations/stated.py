"""Bugs in what services state, remember and keep: each trips an invariant that no bug of the kernel reaches."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.deadline.domain import closing, extension
from services.fulfillment import results
from services.fulfillment.domain import fulfillment as fulfilling
from services.intake.domain import notifying, receiving, withdrawing
from services.verification.domain.case import VerificationCase
from shared import audit
from shared.events.deadline import RequestClosed
from shared.events.verification import VerificationConcluded
from shared.machine.decision import Decision
from shared.machine.letters import Letters
from shared.machine.run import Run
from tests.mutations.seeding import DELETIONS, LONG, Mutation, always, in_table, replaced

LATER = timedelta(minutes=1)
GARBAGE = replace(DELETIONS, faults=frozenset({"garbage"}))
REPEATED = replace(DELETIONS, faults=frozenset({"rewind", "points"}))
TAKEN_BACK = replace(DELETIONS, faults=frozenset({"withdraw"}), urgency=5.0)
OPT_OUTS = replace(DELETIONS, rights=("opt_out",))


def _forgetting(**update: Any) -> Callable[[Any], Any]:
    """A rule that takes its case for one that does not know this yet."""
    return lambda original: lambda case, *given: original(case.model_copy(update=update), *given)


def _drafting_without(**update: Any) -> Callable[[Any], Any]:
    """The same for a rule that is given a draft."""

    def made(original: Any) -> Any:
        def settle(draft: Any, *given: Any) -> Any:
            return original(replace(draft, case=draft.case.model_copy(update=update)), *given)

        return settle

    return made


def _moves_again(original: Any) -> Any:
    def settle(draft: Any) -> Any:
        known = draft.case.extension
        again = known.model_copy(update={"told_at": None}) if known else None
        return original(replace(draft, case=draft.case.model_copy(update={"extension": again})))

    return settle


def _moves_its_own_clock(original: Any) -> Any:
    def extended(draft: Any, received: Any, *given: Any) -> Any:
        found = original(draft, received, *given)
        clocks = received.clocks.model_copy(update={"respond_by": received.clocks.extend_to})
        moved = received.model_copy(update={"clocks": clocks})
        return replace(found, case=found.case.model_copy(update={"received": moved}))

    return extended


def _without_tasks(original: Any) -> Any:
    return lambda *given: replace(original(*given), tasks=())


def _begins_a_day_late(original: Any) -> Any:
    return lambda regime, right, at: original(regime, right, at + timedelta(days=1))


def _handed_over_later(original: Any) -> Any:
    def sent(case: Any, key: str, notice: Any, result: Any) -> Any:
        at = datetime.fromisoformat(result["handed_over_at"]) + LATER
        return original(case, key, notice, {**result, "handed_over_at": at.isoformat()})

    return sent


def _digest_of_another(original: Any) -> Any:
    return lambda receipt: original(receipt).model_copy(update={"receipt_digest": "0" * 64})


def _without_digest(original: Any) -> Any:
    return lambda receipt: original(receipt).model_copy(update={"receipt_digest": None})


def _chained_before_it_was_complete(original: Any) -> Any:
    def append(head: Any, entry: Any) -> Any:
        return original(head, entry)._replace(at=entry.at + LATER)

    return append


def _deletes(original: Any) -> Any:
    return lambda case, body, *given: original(case, body.model_copy(update={"right": "delete"}), *given)


def _hears_nothing(_original: Any) -> Any:
    return lambda case, *_: Decision(case)


STATED = (
    Mutation("the clocks begin a day late", replaced(receiving, "_clocks", _begins_a_day_late)),
    Mutation(
        "a withdrawal is told each time",
        replaced(withdrawing, "_withdraw", _forgetting(withdrawn_at=None)),
        plan=TAKEN_BACK,
    ),
    Mutation(
        "verification ends again", replaced(VerificationCase, "is_over", always(property(lambda _: False)))
    ),
    Mutation(
        "an opt-out is taken for a deletion",
        in_table(fulfilling._RULES, VerificationConcluded, _deletes),  # noqa: SLF001 - where the bug is put
        plan=OPT_OUTS,
    ),
    Mutation("a notice goes out later than is told", replaced(notifying, "_sent", _handed_over_later)),
    Mutation("a date moves again", replaced(extension, "settle_extension", _moves_again), plan=LONG),
    Mutation(
        "an extension moves the clock that it is counted from",
        replaced(extension, "_extended", _moves_its_own_clock),
        plan=LONG,
    ),
    Mutation(
        "a request is closed again", replaced(closing, "settle_closing", _drafting_without(closing=None))
    ),
    Mutation("a request is closed without its certificate", replaced(closing, "_closed", _without_tasks)),
    Mutation(
        "fulfillment does not hear that a request is closed",
        in_table(fulfilling._RULES, RequestClosed, _hears_nothing),  # noqa: SLF001 - where the bug is put
    ),
    Mutation("a receipt's digest is another's", replaced(results, "outcome_of", _digest_of_another)),
    Mutation("a receipt is told without its digest", replaced(results, "outcome_of", _without_digest)),
    Mutation(
        "a row of the audit chain is changed", replaced(audit, "append", _chained_before_it_was_complete)
    ),
    Mutation(
        "commands are not remembered",
        replaced(Run, "_seen_by", always(lambda *_: set())),
        plan=REPEATED,
    ),
    Mutation(
        "what cannot be read leaves no letter",
        replaced(Letters, "_put", always(lambda *_: None)),
        plan=GARBAGE,
    ),
)
