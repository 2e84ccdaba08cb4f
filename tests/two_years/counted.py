"""What happened in a request's life, counted; and what must have happened to somebody to prove anything."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.fulfillment.domain.planning import WAIT
from shared.events.topics import SERVICES
from tests.two_years.calendar_of_trouble import SYSTEMS
from tests.two_years.life import VENDOR
from tests.two_years.persons import RIGHTS, Person
from tests.two_years.told import Fact, Told

PARTS: Final = (*SERVICES, "mail", *SYSTEMS)
DIRECTIVES: Final = ("dsar.directive.deletion.v1", "dsar.directive.opt-out.v1")
EXTENDED, MISSED, CLOSED = (
    "dsar.deadline.extended.v1",
    "dsar.deadline.missed.v1",
    "dsar.request.closed.v1",
)
WARNED, WITHDRAWN = "dsar.deadline.approaching.v1", "dsar.request.withdrawn.v1"
SILENT, LATE_VENDOR, SILENT_VENDOR, LATE = "silent consumer", "late vendor", "silent vendor", "closed late"
NEEDED: Final = (
    *(f"asked: {right}" for right in RIGHTS),
    *(f"waited for: {part}" for part in PARTS),
    *(SILENT, LATE_VENDOR, SILENT_VENDOR, LATE, EXTENDED, MISSED, CLOSED, WARNED, WITHDRAWN, *DIRECTIVES),
)


def counted(person: Person, told: Told) -> Counter[str]:
    """Each kind of thing that happened to one request."""
    counts = Counter({f"asked: {person.right}": 1})
    counts.update(fact.type for fact in told.facts)
    counts.update(f"refused: {reason}" for _, _, reason in told.refusals)
    counts.update({f"waited for: {part}": times for part, times in told.waited.items()})
    counts[SILENT] += _never_proved(person, told)
    _count_vendor(counts, told)
    for closed in told.all(CLOSED):
        counts[f"closed: {closed.body['resolution']}"] += 1
        counts[LATE] += not closed.body["in_time"]
    return counts


def missing(counts: Mapping[str, int]) -> list[str]:
    """What ought to have happened and happened to nobody."""
    return [name for name in NEEDED if not counts.get(name)]


def _never_proved(person: Person, told: Told) -> bool:
    concluded = {fact.body["conclusion"] for fact in told.all("dsar.request.verified.v1")}
    return person.proof == "silent" and not concluded.isdisjoint({"failed", "downgraded"})


def _count_vendor(counts: Counter[str], told: Told) -> None:
    """A vendor was late if it said that it was done after the day that its directive named."""
    asked = [fact for name in DIRECTIVES for fact in told.all(name)]
    given_up = [
        fact
        for fact in told.all("dsar.fulfillment.task-needs-person.v1")
        if fact.body["task"].startswith(f"{WAIT}:")
    ]
    done = [fact for fact in told.all("dsar.fulfillment.task-settled.v1") if _by_vendor(fact)]
    due = [datetime.fromisoformat(fact.body["due_at"]) for fact in asked]
    counts[SILENT_VENDOR] += bool(given_up)
    counts[LATE_VENDOR] += not given_up and any(fact.at > min(due) for fact in done if due)


def _by_vendor(fact: Fact) -> bool:
    name: str = fact.body["settled"]["system"]
    return name == VENDOR
