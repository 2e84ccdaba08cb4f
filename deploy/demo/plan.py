"""Who asks for what in the demonstration: decided by the seed alone, so that a run can be repeated."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

P = TypeVar("P")
Via = Literal["http", "kafka"]
Proof = Literal["assertion", "code", "none"]
Role = Literal[
    "ordinary",
    "late",
    "silent",
    "withdrawn",
    "held",
    "again",
    "unknown",
    "slow",
    "mute",
    "unwilling",
    "misspelt",
]
RESOLUTIONS: dict[Role, frozenset[str]] = {
    "ordinary": frozenset({"complete", "partial"}),
    "late": frozenset({"complete", "partial"}),
    "held": frozenset({"complete", "partial"}),
    "silent": frozenset({"denied"}),
    "withdrawn": frozenset({"withdrawn"}),
    "again": frozenset({"duplicate"}),
    "unknown": frozenset({"nothing_found"}),
    "slow": frozenset({"complete", "partial"}),
    "mute": frozenset({"partial"}),
    "unwilling": frozenset({"partial"}),
    "misspelt": frozenset({"complete"}),
}
"""How a request of each role ends."""

# The mix that a dealership sees: deletions above all, then questions, then opt-outs.
RIGHTS = ("delete", "know_specific", "delete", "opt_out", "delete", "know_categories", "delete", "opt_out")
# The same here, with one who limits the use of sensitive data; a vendor is told of that.
MIX = (*RIGHTS[:-1], "limit")
BY_ANYBODY = frozenset({"opt_out", "limit"})
"""What nobody has to prove who they are for: 11 CCR 7060(b)."""

FEWEST = 11
DIFFICULT: tuple[Role, ...] = ("slow", "mute", "unwilling")


@dataclass(frozen=True, slots=True)
class Ask(Generic[P]):
    """One person's request.

    `late`: the dealer-management system is away while it runs, so its date has to be extended. `silent`: never
    proves who they are, and is denied. `withdrawn`: is taken back while its tasks wait. `held`: waits for a legal hold,
    and `again`: its person asks the same once more meanwhile. `unknown`: nobody holds anything of this person. `slow`,
    `mute`, `unwilling`: a vendor answers late, never, or refuses. `misspelt`: asks for the first name to be corrected.
    """

    person: P
    right: str
    via: Via
    proof: Proof
    role: Role = "ordinary"

    @property
    def acts(self) -> bool:
        """Whether it is this request that the systems act on."""
        return self.role in {"ordinary", "late", "held", "misspelt", *DIFFICULT}


def plan(
    people: Sequence[P],
    stranger: P,
    requests: int,
    seed: int,
    *,
    misspelt: Callable[[P], bool] = lambda _person: True,
) -> list[Ask[P]]:
    """`requests` asks of different people, half over HTTP and half over Kafka, the last ten of a kind of their own.

    Whose name is misspelt is one whom `misspelt` suits.

    Raises:
        ValueError: fewer requests than the story needs, or more than there are people.
    """
    if not FEWEST <= requests < len(people):
        raise ValueError(f"requests: give a number from {FEWEST} to {len(people) - 1}")
    chosen = random.Random(seed).sample(list(people), requests - 3)  # noqa: S311 - repeatable, not secret
    asks = [_ask(person, number) for number, person in enumerate(chosen[:-7])]
    others = set(chosen)
    wronged = next(person for person in people if person not in others and misspelt(person))
    return [*asks, *_of_their_own_kind(chosen[-7:], stranger, wronged)]


def _of_their_own_kind(seven: Sequence[P], stranger: P, wronged: P) -> list[Ask[P]]:
    """The last ten; one of the seven asks twice."""
    *three, withdrawn, held, late, silent = seven
    difficult = zip(three, DIFFICULT, strict=True)
    return [
        *(Ask(person, "delete", "http", "assertion", role) for person, role in difficult),
        Ask(stranger, "know_specific", "http", "assertion", "unknown"),
        Ask(wronged, "correct", "http", "assertion", "misspelt"),
        Ask(withdrawn, "delete", "http", "code", "withdrawn"),
        Ask(held, "delete", "http", "code", "held"),
        Ask(held, "delete", "kafka", "assertion", "again"),
        Ask(late, "delete", "http", "assertion", "late"),
        Ask(silent, "delete", "kafka", "none", "silent"),
    ]


def without_vendors(asks: Sequence[Ask[P]]) -> list[Ask[P]]:
    """An installation without the examples has no vendors at work: those who would meet them are as any."""
    return [_without_vendors(ask) for ask in asks]


def _without_vendors(ask: Ask[P]) -> Ask[P]:
    """Only a vendor is told of limits: an opt-out goes to systems too."""
    right = "opt_out" if ask.right == "limit" else ask.right
    return replace(ask, right=right, role="ordinary" if ask.role in DIFFICULT else ask.role)


def _ask(person: P, number: int) -> Ask[P]:
    right = MIX[number % len(MIX)]
    # Every other one, and the other way round in the next round of rights: each right comes both ways.
    via: Via = "http" if (number + number // len(MIX)) % 2 == 0 else "kafka"
    # Every fifth deletion over HTTP is proved by the code in the mail instead of an account.
    proof: Proof = "code" if right == "delete" and via == "http" and number % 5 == 0 else "assertion"
    return Ask(person, right, via, "none" if right in BY_ANYBODY else proof)
