"""In which simulated world a seeded bug shows.

Which one it is changes with every port call that production code adds or saves, so it is looked for; where it was
last seen (`seen_in.json`) is looked at first. Write that file anew when the search has become slow:

    python -m tests.mutations.worlds
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from asyncpg.exceptions import UniqueViolationError

from tests.mutations.seeded import SEEDED
from tests.mutations.seeding import FAILED, DeadBugError, Mutation
from tests.simulation.scheduler import Scheduler

WORLDS = range(1, 121)
SHOWS = (AssertionError, UniqueViolationError)
"""An invariant that the scheduler asserts, or one that the store's own keys hold."""
SEEN_IN = Path(__file__).with_name("seen_in.json")


def world(number: int, mutation: Mutation) -> Scheduler:
    """The world of this number, treated as the bug asks for, without the bug."""
    return Scheduler(str(number), mutation.steps, plan=mutation.plan)


def is_found_in(number: int, mutation: Mutation) -> bool:
    """Whether an invariant breaks in the world of this number with the bug in it.

    Raises DeadBugError, or whatever it was, if the bug itself failed: then nothing was tried.
    """
    scheduler = world(number, mutation)
    FAILED.clear()
    try:
        with mutation.apply(scheduler):
            scheduler.run()
    except SHOWS as found:
        return bool(str(found))
    finally:
        if FAILED:
            raise DeadBugError(mutation.name) from FAILED[0]
    return False


def worlds_for(mutation: Mutation) -> Iterator[int]:
    """Where the bug was last seen, then everywhere."""
    seen: dict[str, int] = json.loads(SEEN_IN.read_text("utf-8")) if SEEN_IN.exists() else {}
    if mutation.name in seen:
        yield seen[mutation.name]
    yield from WORLDS


def search() -> dict[str, int]:
    """The first world that shows each bug; those that none shows are named on standard error."""
    found: dict[str, int] = {}
    for mutation in SEEDED:
        number = next((each for each in WORLDS if is_found_in(each, mutation)), None)
        if number is None:
            sys.stderr.write(f"{mutation.name}: none of {len(WORLDS)} worlds\n")
        else:
            found[mutation.name] = number
            sys.stderr.write(f"{mutation.name}: {number}\n")
    return found


if __name__ == "__main__":
    SEEN_IN.write_text(json.dumps(search(), indent=1, sort_keys=True) + "\n", "utf-8")
