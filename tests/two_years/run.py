"""`make years`: lives the requests of two years, has every date checked, and writes docs/proof/two-years.md.

One disagreement fails it, with the number of its request, so that it can be lived again.
"""

import argparse
import gc
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from services.deadline.domain.work import Usual
from tests.support.domain_driver import DomainDriver
from tests.two_years.calendar_of_trouble import Trouble
from tests.two_years.checker import all_wrong, check
from tests.two_years.counted import counted, missing
from tests.two_years.lean_driver import LeanDriver
from tests.two_years.outside import lived
from tests.two_years.page import page
from tests.two_years.persons import RIGHTS, draw
from tests.two_years.shell_driver import ShellDriver

SHOWN = 20
TOGETHER = 200
TWICE = 5
# What is usual of one system is known, so that some are waited for to the last look.
PACE = {("crm", right): Usual(50, timedelta(days=30)) for right in RIGHTS}


@dataclass
class Lived:
    """What became of some requests."""

    requests: int = 0
    dates: int = 0
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    """How many were lived behind the whole shell as well."""

    def add(self, other: "Lived") -> None:
        self.requests += other.requests
        self.dates += other.dates
        self.wrong += other.wrong
        self.counts += other.counts
        self.twice += other.twice


def live_all(numbers: Iterable[int], seed: str, driven_by: type[DomainDriver[Any]] = LeanDriver) -> Lived:
    """Live these requests one after another, and check each."""
    found, trouble = Lived(), Trouble(seed)
    for number in numbers:
        person = draw(random.Random(f"{seed} {number}"))  # noqa: S311 - a simulation
        told = lived(number, person, trouble, PACE, driven_by)
        checked = check(person.right, person.arrives_at, told)
        found.add(Lived(1, checked.dates, list(all_wrong(checked, number)), counted(person, told)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", type=int, help="live one request again, and print what was said")
    parser.add_argument("--page", type=Path)
    arguments = parser.parse_args()
    if arguments.only is not None:
        return _again(arguments.seed, arguments.only)
    began, worked = time.perf_counter(), os.times()
    found = Lived()
    with ProcessPoolExecutor(initializer=gc.disable) as pool:
        for part in pool.map(partial(_part, arguments.seed), list(_parts(arguments.requests))):
            found.add(part)
    seconds, cpu = time.perf_counter() - began, _processor(os.times()) - _processor(worked)
    text = page(found, Trouble(arguments.seed), seconds=seconds, processor=cpu, seed=arguments.seed)
    sys.stdout.write(text)
    wrong = [*found.wrong[:SHOWN], *(f"happened to nobody: {name}" for name in missing(found.counts))]
    if arguments.page and not wrong:
        arguments.page.write_text(text, "utf-8")
    for one in wrong:
        sys.stderr.write(f"{one}\n")
    return 1 if wrong else 0


def _part(seed: str, numbers: range) -> Lived:
    """Live some; the first few a second time, behind the whole shell, where the same has to come out."""
    found, rest = live_all(numbers[:TWICE], seed), live_all(numbers[TWICE:], seed)
    again = live_all(numbers[:TWICE], seed, ShellDriver)
    if (again.wrong, again.counts) != (found.wrong, found.counts):
        found.wrong.append(f"requests {numbers[0]} to {numbers[TWICE - 1]}: the shell came to something else")
    found.twice = again.requests
    found.add(rest)
    gc.collect()
    return found


def _parts(requests: int) -> Iterator[range]:
    return (range(first, min(first + TOGETHER, requests)) for first in range(0, requests, TOGETHER))


def _processor(times: os.times_result) -> float:
    return times.user + times.system + times.children_user + times.children_system


def _again(seed: str, number: int) -> int:
    person = draw(random.Random(f"{seed} {number}"))  # noqa: S311 - a simulation
    told = lived(number, person, Trouble(seed), PACE, DomainDriver)
    for fact in told.facts:
        sys.stdout.write(f"{fact.at.isoformat()} {fact.type}\n")
    checked = check(person.right, person.arrives_at, told)
    sys.stdout.write("\n".join([repr(person), *checked.wrong, f"{checked.dates} dates compared"]) + "\n")
    return 1 if checked.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
