"""The four services as they are, over a store and a vault in memory: what a hostile record meets first."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from services.deadline.domain import DeadlineDomain
from services.fulfillment.domain import Catalogue, FulfillmentDomain, SystemEntry
from services.intake.desk import Desk, offered_regimes
from services.intake.domain import IntakeDomain
from services.intake.prepare import Prepare as IntakePrepare
from services.verification.domain import Limits, VerificationDomain
from services.verification.prepare import Prepare as VerificationPrepare
from services.verification.prepare import Trust
from shared.dead_letter_seal import DeadLetterSeal
from shared.events.commands import RequestSubmitted
from shared.events.envelope import Raw
from shared.events.intake import RequestWithdrawn
from shared.keyfiles import KeyFiles, init_keys
from shared.machine.admission import Admission, signature_check
from shared.machine.decision import Domain, Message
from shared.machine.incoming import to_incoming
from shared.machine.parts import Parts, Result, Wrote
from shared.machine.shell import Shell
from shared.policy import Right
from shared.signing import encrypt_submission
from tests.support.front_desk import NothingEarlier
from tests.support.memory_store import MemoryStore
from tests.support.memory_vault import memory_vault

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOTHING = Raw("", 0, 0, None, (), b"")
RIGHTS = frozenset({Right.DELETE, Right.KNOW_SPECIFIC, Right.OPT_OUT})


@dataclass
class Noon:
    """Stands still."""

    def now(self) -> datetime:
        return NOW


@dataclass
class Fuzzed:
    """One service's shell over its rows."""

    service: str
    shell: Shell[Any]
    store: MemoryStore
    good: Callable[[UUID], Raw]
    results: list[Result] = field(default_factory=list)

    def rows(self) -> list[Any]:
        """Everything that would lie in the tables; of a dead letter, only its sealed bytes."""
        tables = self.store.tables
        letters = [replace(letter, raw=NOTHING) for letter in tables.dead.values()]
        return [vars(tables) | {"dead": letters}]

    async def hear(self, raws: Sequence[Raw]) -> list[str]:
        """Take a batch off a topic, as the subscriber does."""
        results = await self.shell.handle([to_incoming(raw) for raw in raws])
        await self.shell.drain_parked()
        return [result.status for result in results]

    async def hears_a_good_one(self) -> str:
        """What becomes of a record that nothing is wrong with."""
        return (await self.hear([self.good(uuid4())]))[0]

    def committed(self, results: Sequence[Result], wrote: Wrote) -> None:
        """Nobody waits for anything here."""


class Fuzzing:
    """Makes the services over one set of key files."""

    def __init__(self, home: Path) -> None:
        init_keys(home)
        self.keys = KeyFiles(home)
        self.vault = memory_vault()
        self._domains: dict[str, tuple[Domain[Any], Any]] = {
            "intake": (IntakeDomain(offered_regimes()), self._intake()),
            "verification": (VerificationDomain(self.keys.lookup(), Limits()), self._verification()),
            "fulfillment": (FulfillmentDomain(_catalogue()), _nothing),
            "deadline": (DeadlineDomain(), _nothing),
        }

    def service(self, name: str) -> Fuzzed:
        domain, prepare = self._domains[name]
        store = MemoryStore()
        good = self.submission if name == "intake" else withdrawal
        made = Fuzzed(name, None, store, good)  # type: ignore[arg-type] # its observer is itself
        made.shell = Shell(
            Parts(
                domain=domain,
                store=store,
                clock=Noon(),
                sealer=self.vault,
                dead_letters=DeadLetterSeal(self.vault),
                prepare=prepare,
                admit=Admission(signature_check(self.keys)),
                observer=made,
            )
        )
        return made

    def submission(self, submission: UUID, claims: bytes | None = None) -> Raw:
        """A submission of an upstream system, its claims encrypted as they should be."""
        said = claims if claims is not None else json.dumps(claims_of()).encode()
        sealed = encrypt_submission(said, self.keys.submissions().public_jwks()[0])
        body = RequestSubmitted(claims=sealed).model_dump_json().encode()
        head = {"ce_source": "upstream/cascadia-web", "ce_type": "dsar.submission.request.v1"}
        return record("dsar.submissions", str(submission), head, body)

    def _intake(self) -> IntakePrepare:
        desk = Desk(frozenset({"cascadia"}), "cascadia", self.keys.lookup())
        return IntakePrepare(desk, self.keys.submissions(), self.vault, NothingEarlier())

    def _verification(self) -> VerificationPrepare:
        trust = Trust(issuers=lambda _business: (), audience="habeas", fresh_for=timedelta(minutes=10))
        return VerificationPrepare(self.vault, self.keys.lookup(), trust)


def claims_of(**more: Any) -> dict[str, Any]:
    """What an upstream system says of a person."""
    return {
        "right": "delete",
        "residency": "US-CA",
        "channel": "phone",
        "email": "somebody@example.com",
        "received_at": NOW.isoformat(),
        **more,
    }


def withdrawal(request_id: UUID) -> Raw:
    """An event that three of the services read."""
    body = RequestWithdrawn(withdrawn_at=NOW, audit_head="a" * 64).model_dump_json().encode()
    head = {
        "ce_source": "habeas/intake",
        "ce_type": "dsar.request.withdrawn.v1",
        "ce_subject": str(request_id),
        "ce_sequence": "1",
    }
    return record("dsar.received", str(request_id), head, body)


def record(topic: str, key: str, head: dict[str, str], value: bytes, offset: int = 0) -> Raw:
    """A record with a whole envelope."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_time": NOW.isoformat(),
        "ce_business": "cascadia",
        **head,
    }
    return Raw(topic, 0, offset, key.encode(), tuple((n, v.encode()) for n, v in headers.items()), value)


def _catalogue() -> Catalogue:
    return Catalogue([SystemEntry("crm", "cascadia", RIGHTS), SystemEntry("dms", "cascadia", RIGHTS)])


async def _nothing(messages: Sequence[Message]) -> Sequence[None]:
    return [None] * len(messages)
