"""What the bench puts in the place of the outside: systems that answer at once, a mail server that is a list."""

from collections import deque
from datetime import datetime
from email.message import EmailMessage
from hashlib import sha256

from services.fulfillment.connected import Connected, kinds_found_by, kinds_known, rights_of
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.domain import SystemEntry
from services.fulfillment.ports import (
    Capabilities,
    CheckReport,
    DatasetCount,
    Done,
    Export,
    Frozen,
    Gone,
    NeedsPerson,
    Outcome,
    Proof,
    Receipt,
    Retry,
    StillPresent,
    Subject,
    TakesRows,
)
from services.intake.ports import Accepted, Handover
from shared.clock import Clock
from tests.support.memory_system import table

PEOPLE = "people"


class InstantSystem:
    """Holds one row of everybody until it is told to delete it; every answer is a look into a set.

    The tests' system in memory keeps a ledger and walks all of its rows, which is right for a test and would be
    most of what this bench measures.
    """

    capabilities = Capabilities(
        idempotency_key=False, verify=True, naturally_idempotent=True, bounded_by_cutoff=True
    )

    def __init__(self, name: str, datamap: DataMap) -> None:
        self.name = name
        self.datamap = datamap
        self._gone: set[int] = set()

    async def check(self) -> CheckReport:
        return CheckReport(reachable=True, credentials=True)

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        number = _number(subject.seeds["email"])
        return Frozen({} if number in self._gone else {PEOPLE: ((number,),)})

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        return Export(self.name, (), ())

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        here = _numbers(frozen) - self._gone
        self._gone |= here
        counts = (DatasetCount(PEOPLE, erased=len(here)),)
        return Done(Receipt(self.name, counts, performed_at=cut_off, cut_off=cut_off).sealed())

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        left = _numbers(frozen) - self._gone
        return StillPresent(len(left)) if left else Gone({PEOPLE: len(_numbers(frozen))})

    async def close(self) -> None:
        """Nothing is held."""


def connected(name: str, business: str) -> Connected:
    """An instant system as the service's `app` would connect it."""
    datamap = DataMap(key=name, collections={PEOPLE: table(PEOPLE)})
    entry = SystemEntry(
        name=name,
        business=business,
        rights=rights_of(datamap),
        finds_by=kinds_found_by(datamap),
        knows=kinds_known(datamap),
        identity_source=False,
        order=100,
    )
    return Connected(entry, datamap, InstantSystem(name, datamap))


class MemoryMail:
    """Takes every notice as a mail server would, whole and in bytes; the last ones can be looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.taken: deque[bytes] = deque(maxlen=100)

    async def hand_over(self, message: EmailMessage) -> Handover:
        self.taken.append(message.as_bytes())
        return Accepted(self._clock.now())


def _number(email: str) -> int:
    """The id of somebody's row: the same in the process that takes over from one that was killed."""
    return int.from_bytes(sha256(email.encode()).digest()[:8], "big")


def _numbers(frozen: Frozen) -> set[int]:
    return {int(part) for keys in frozen.rows.values() for key in keys for part in key}
