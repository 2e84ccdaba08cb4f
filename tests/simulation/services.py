"""The four services as in production, each process over simulated ports: nothing of ours is replaced but the edges."""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.deadline.domain import CERTIFICATE, DESTROY_KEY, DeadlineDomain
from services.deadline.handlers import DestroyKey, SignCertificate
from services.fulfillment.acting import ActHandler
from services.fulfillment.answer_files import Writing
from services.fulfillment.connected import Systems
from services.fulfillment.domain import Catalogue, FulfillmentDomain
from services.fulfillment.exporting import ExportHandler
from services.fulfillment.joining import JoinHandler
from services.fulfillment.matching import MatchHandler
from services.fulfillment.packaging import PackageHandler
from services.fulfillment.subjects import Subjects
from services.intake.desk import Desk, offered_regimes
from services.intake.domain import IntakeDomain
from services.intake.notices import NoticeHandler, Rendering, Texts
from services.intake.notices.rendering import Sender
from services.intake.ports import Accepted, Handover, Later, Rejected
from services.intake.prepare import Prepare as PrepareIntake
from services.intake.settings import Business as Address
from services.verification.domain import Limits, VerificationDomain
from services.verification.prepare import Prepare as PrepareVerification
from services.verification.prepare import Trust
from shared.machine.decision import Domain, Message
from shared.machine.parts import Facts, Prepare
from shared.privacy import HmacKeyring, Secret
from shared.signing import DecryptionKeys, KeyRing
from shared.tasks.work import Handler
from shared.vault import StoredKey, Vault, WrappedKey
from tests.simulation.points import Process
from tests.simulation.systems import ATTEMPT, attended
from tests.support.front_desk import NothingEarlier
from tests.support.memory_files import MemoryFiles
from tests.support.memory_reading import MemoryReading
from tests.support.memory_vault import MemoryKeyStore

if TYPE_CHECKING:
    from tests.simulation.world import World

CODE = re.compile(r"\b\d{8}\b")
KEYRING = HmacKeyring("1", {"1": Secret(b"k" * 32)})
DECRYPTION = DecryptionKeys.generate()
EVIDENCE = KeyRing.generate()
DESK = Desk(frozenset({"cascadia"}), "cascadia", KEYRING)


@dataclass(frozen=True)
class Made:
    """What a service is made of."""

    domain: Domain[Any]
    prepare: Prepare
    handlers: Mapping[str, Handler]
    facts: Facts | None = None


class Keys:
    """The vault's store as one process reaches it."""

    def __init__(self, process: Process, inner: MemoryKeyStore) -> None:
        self._process = process
        self._inner = inner

    async def create(self, keys: Sequence[tuple[UUID, WrappedKey]]) -> Sequence[StoredKey]:
        await self._process.before("vault.create")
        return await self._inner.create(keys)

    async def create_month(self, month: str, wrapped: WrappedKey) -> StoredKey:
        return await self._inner.create_month(month, wrapped)

    async def open(self, request_ids: Sequence[UUID]) -> Sequence[StoredKey]:
        await self._process.before("vault.open")
        return await self._inner.open(request_ids)

    async def destroy(self, request_ids: Sequence[UUID], reason: str) -> None:
        await self._process.before("vault.destroy")
        await self._inner.destroy(request_ids, reason)


class Mail:
    """The mail server: it takes a notice, or does not, or does and its answer is lost."""

    def __init__(self, process: Process, world: "World") -> None:
        self._process = process
        self._world = world

    async def hand_over(self, message: EmailMessage) -> Handover:
        fate = await self._process.point("mail", "fail", "lose", "other")
        if fate == "fail":
            return Later("away")
        if fate == "other":
            return Rejected("no_such_address")
        at, task = self._world.clock.now(), ATTEMPT.get()
        notice_id = str(message["Message-ID"])[1:].partition("@")[0]
        self._world.auditor.mailed[notice_id].append((at, task.key))
        code = CODE.search(message.get_content())
        if code is not None and ":verification_code:" in task.key:
            self._world.people.hears_code(task.request_id, code.group())
        return Later("no_answer", uncertain=True) if fate == "lose" else Accepted(at)


class Files(MemoryFiles):
    """The folder of answers, one for all processes; its disk may be full."""

    def __init__(self, process: Process, files: dict[UUID, bytes]) -> None:
        super().__init__(files)
        self._process = process

    @asynccontextmanager
    async def part(self, part_id: UUID) -> AsyncIterator[Writing]:
        async with super().part(part_id) as writing:
            yield writing
            await self._room()

    @asynccontextmanager
    async def package(self, package_id: UUID) -> AsyncIterator[Writing]:
        async with super().package(package_id) as writing:
            yield writing
            await self._room()

    async def _room(self) -> None:
        if await self._process.point("files.write", "fail") == "fail":
            raise OSError("the disk is full")


def make(process: Process, world: "World", vault: Vault) -> Made:
    """One process's service."""
    makers: dict[str, Callable[[Process, World, Vault], Made]] = {
        "intake": _intake,
        "verification": _verification,
        "fulfillment": _fulfillment,
        "deadline": _deadline,
    }
    return makers[process.service](process, world, vault)


def _intake(process: Process, world: "World", vault: Vault) -> Made:
    texts = Texts({"cascadia": Address(name="Cascadia")}, offered_regimes(), lambda one: f"1.{one}")
    rendering = Rendering(texts, Sender("privacy@cascadia.example", "cascadia.example"))
    rows = MemoryReading(world.databases["intake"].tables)
    notices = NoticeHandler(rows, vault, rendering, Mail(process, world), world.clock)
    return Made(
        IntakeDomain(offered_regimes()),
        PrepareIntake(DESK, DECRYPTION, vault, NothingEarlier()),
        attended({"notice": notices}),
    )


def _verification(process: Process, world: "World", vault: Vault) -> Made:
    del process, world
    trust = Trust(issuers=lambda _business: (), audience="habeas", fresh_for=timedelta(minutes=10))
    return Made(VerificationDomain(KEYRING, Limits()), PrepareVerification(vault, KEYRING, trust), {})


def _fulfillment(process: Process, world: "World", vault: Vault) -> Made:
    database = world.databases["fulfillment"]
    connected = world.business.reached_by(process, world.auditor)
    systems, rows = Systems(connected), MemoryReading(database.tables)
    subjects, files = Subjects(rows, vault), Files(process, world.files)
    handlers: dict[str, Handler] = {
        "act": ActHandler(systems, subjects, vault, world.clock),
        "export": ExportHandler(systems, subjects, (vault, files), world.clock),
        "match": MatchHandler(systems, subjects, vault),
        "package": PackageHandler(subjects, (vault, files), EVIDENCE, world.clock),
        "join": JoinHandler(rows),
    }
    domain = FulfillmentDomain(Catalogue(each.entry for each in connected))
    return Made(domain, _nothing, attended(handlers), database.same_subject)


def _deadline(process: Process, world: "World", vault: Vault) -> Made:
    certificates = world.databases["deadline"].certificates
    handlers: dict[str, Handler] = {
        CERTIFICATE: SignCertificate(EVIDENCE, certificates, world.clock),
        DESTROY_KEY: DestroyKey(vault),
    }
    del process
    return Made(DeadlineDomain(), _nothing, attended(handlers))


async def _nothing(messages: Sequence[Message]) -> Sequence[None]:
    return [None] * len(messages)
