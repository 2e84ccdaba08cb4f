"""How one simulated world is treated."""

import random
from dataclasses import dataclass

from tests.simulation.people import RIGHTS

FAULTS = (
    "points",
    "crash",
    "rewind",
    "late",
    "jump",
    "hold",
    "withdraw",
    "people",
    "garbage",
    "repartition",
    "stall",
    "unsendable",
)


@dataclass(frozen=True)
class Plan:
    """How one world is treated; swarm testing: each has some faults, and others not at all."""

    people: int
    requests: int
    processes: int
    legacy: bool
    faults: frozenset[str]
    failing: float
    rights: tuple[str, ...] = RIGHTS
    urgency: float = 1.0
    """How many times more often than usual people change their minds and accidents happen."""
    proved: bool = False
    """All have asked, and are about to prove themselves, before the first accident: most of them then befall the
    deletions themselves, which the long way there would keep from the others within the steps of a world."""

    @classmethod
    def drawn(cls, chance: random.Random) -> "Plan":
        return cls(
            people=chance.randint(1, 3),
            requests=chance.randint(1, 6),
            processes=chance.choice((1, 1, 2)),
            legacy=chance.random() < 0.4,
            faults=frozenset(name for name in FAULTS if chance.random() < 0.6),
            failing=chance.choice((0.02, 0.1, 0.25)),
            proved=chance.random() < 0.5,
        )
