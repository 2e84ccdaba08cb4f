"""What other services state about a request; each fact is kept whenever it comes."""

from services.intake.domain.case import Did, Ending, IntakeCase, Kept, Told, Verified
from services.intake.domain.hearing import Heard, Verdict
from services.intake.domain.planning import plan_answer
from services.intake.submission import KNOW
from shared.events.deadline import DeadlineExtended, RequestClosed
from shared.events.fulfillment import RequestFulfilled, SystemOutcome
from shared.events.verification import VerificationConcluded
from shared.machine.decision import Decision

LONGEST_GROUND = 200
MOST_EXEMPTIONS = 12
MOST_DONE = 16
LONGEST_TITLE = 60
COUNTS = ("erased", "deidentified", "corrected")
MOST_TOLD = 40


def verified(case: IntakeCase, heard: Heard) -> Verdict:
    """Verification ended; codes that still wait are not needed any more."""
    body = heard.message.body
    if not isinstance(body, VerificationConcluded):
        raise TypeError
    known = Verified(conclusion=body.conclusion, right=body.right)
    return Decision(case.model_copy(update={"verified": known}))


def fulfilled(case: IntakeCase, heard: Heard) -> Verdict:
    """The request ended: plan its one answer."""
    body = heard.message.body
    if not isinstance(body, RequestFulfilled):
        raise TypeError
    known = case if case.ending else case.model_copy(update={"ending": _ending(body)})
    planned = plan_answer(known, heard.context.now)
    return Decision(planned.case, tasks=planned.tasks)


def _ending(body: RequestFulfilled) -> Ending:
    return Ending(
        right=body.right,
        resolution=body.resolution,
        ground=body.ground[:LONGEST_GROUND] if body.ground else None,
        kept=_kept(body),
        done=_done(body),
        told=tuple(
            Told(title=one.title, outcome=one.outcome, facts=one.facts) for one in body.vendors[:MOST_TOLD]
        ),
        package=body.package,
        backups_until=max((one.backups_until for one in body.systems if one.backups_until), default=None),
        fulfilled_at=body.fulfilled_at,
    )


def _kept(body: RequestFulfilled) -> tuple[Kept, ...]:
    """Rows kept in all systems together, by exemption: the requester is told grounds, not our table names."""
    counts: dict[str, int] = {}
    for system in body.systems:
        for row in system.retained:
            counts[row.exemption] = counts.get(row.exemption, 0) + row.count
    ordered = sorted(counts.items())[:MOST_EXEMPTIONS]
    return tuple(Kept(exemption=exemption, count=count) for exemption, count in ordered)


def _done(body: RequestFulfilled) -> tuple[Did, ...]:
    """What was done where; an answer to know says so itself. Beyond a screenful, the rest is added up."""
    if body.right in KNOW:
        return ()
    told = {one.vendor for one in body.vendors}
    changed = [_did(one) for one in body.systems if one.outcome == "done" and one.system not in told]
    if len(changed) <= MOST_DONE:
        return tuple(changed)
    rest = changed[MOST_DONE - 1 :]
    sums = {name: sum(getattr(one, name) for one in rest) for name in COUNTS}
    return (*changed[: MOST_DONE - 1], Did(**sums))


def _did(system: SystemOutcome) -> Did:
    counts = {name: getattr(system, name) for name in COUNTS}
    titles = {language: title[:LONGEST_TITLE] for language, title in system.titles.items()}
    return Did(title=system.title[:LONGEST_TITLE], titles=titles, **counts)


def extended(case: IntakeCase, heard: Heard) -> Verdict:
    """The answer's date moved, once."""
    body = heard.message.body
    if not isinstance(body, DeadlineExtended):
        raise TypeError
    return Decision(case.model_copy(update={"extended": body.respond_by}))


def closed(case: IntakeCase, heard: Heard) -> Verdict:
    """The request is over."""
    body = heard.message.body
    if not isinstance(body, RequestClosed):
        raise TypeError
    return Decision(case.model_copy(update={"closed_at": body.closed_at}), closes=True)
