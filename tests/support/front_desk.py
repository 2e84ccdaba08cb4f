"""Intake without a database or a broker: its real rules, reading and HTTP, over cases in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from fastapi import FastAPI

from deploy.demo.accounts import IdentityProvider
from services.intake.api import dress, routes
from services.intake.collection import Collection, Confirms
from services.intake.counter import Counter
from services.intake.desk import Desk, offered_regimes
from services.intake.domain import IntakeCase, IntakeDomain
from services.intake.messages import HTTP, SubmitRequest
from services.intake.notices.letters import Letters
from services.intake.notices.texts import Texts
from services.intake.pace import Pace
from services.intake.packages import Packages
from services.intake.prepare import Prepare
from services.intake.submission import Problem, Submission
from shared.events.commands import RequestSubmitted, WithdrawalSubmitted
from shared.issuers import read_issuer
from shared.machine.batcher import Batcher
from shared.machine.decision import Kept, Message
from shared.machine.shell import Result
from shared.privacy import HmacKeyring, Secret
from shared.signing import DecryptionKeys, encrypt_submission, jwks_document
from shared.vault import Vault
from tests.support.domain_driver import REQUEST, DomainDriver, Messages, Step, utc
from tests.support.memory_vault import memory_vault

NOW = utc("2026-02-02 19:00")
UPSTREAM = "upstream/call-center"
PERSON: dict[str, Any] = {"right": "delete", "residency": "US-CA", "email": "Ada.Lovelace@Example.com"}
CLAIMS: dict[str, Any] = {**PERSON, "channel": "phone", "received_at": "2026-02-02T10:00:00-08:00"}


def keyring() -> HmacKeyring:
    return HmacKeyring("1", {"1": Secret(b"k" * 32)})


def desk() -> Desk:
    return Desk(frozenset({"cascadia", "rainier"}), "cascadia", keyring())


def second_step(asked: Mapping[str, Any]) -> dict[str, bool]:
    """Allowing sale again, and nothing else, takes a second step (11 CCR 7028)."""
    return {"confirmed": True} if asked.get("right") == "opt_in" else {}


def domain() -> IntakeDomain:
    return IntakeDomain(offered_regimes())


def submission(**more: Any) -> Submission:
    """A submission over HTTP that reads well."""
    found = desk().read(json.dumps({**PERSON, **second_step(more), **more}).encode())
    assert isinstance(found, Submission)
    return found


def upstream_submission(**more: Any) -> Submission:
    """A submission of an upstream system that reads well."""
    found = desk().read_upstream(json.dumps({**CLAIMS, **second_step(more), **more}).encode(), "cascadia")
    assert isinstance(found, Submission)
    return found


def driver(now: datetime = NOW) -> DomainDriver[IntakeCase]:
    return DomainDriver(domain(), now)


@dataclass
class Upstream:
    """One upstream system and its commands about one submission."""

    source: str = UPSTREAM
    messages: Messages = field(default_factory=Messages)

    def submits(self, found: Submission | Problem | None = None, at: datetime = NOW) -> Message:
        facts = upstream_submission() if found is None else found
        return self.messages.command(RequestSubmitted(claims="x"), at=at, facts=facts, source=self.source)

    def withdraws(self, at: datetime = NOW) -> Message:
        return self.messages.command(WithdrawalSubmitted(withdrawn_at=at), at=at, source=self.source)


@dataclass
class StandingClock:
    """Tells the time that the test says."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


class NothingEarlier:
    """Cases of an intake that took nothing in before."""

    async def case(self, request_id: UUID) -> IntakeCase | None:
        del request_id
        return None


class CasesInMemory:
    """A shell over one driver per request, with the real `prepare` before it."""

    prepare: Prepare

    def __init__(self, clock: StandingClock) -> None:
        self.clock = clock
        self.domain = domain()
        self.drivers: dict[UUID, DomainDriver[IntakeCase]] = {}
        self.outage: Exception | None = None

    async def handle(self, incoming: Sequence[Any]) -> list[Result]:
        if self.outage is not None:
            raise self.outage
        facts = await self.prepare(incoming)
        return [self._one(replace(message, facts=one)) for message, one in zip(incoming, facts, strict=True)]

    async def case(self, request_id: UUID) -> IntakeCase | None:
        if self.outage is not None:
            raise self.outage
        found = self.drivers.get(request_id)
        return found.case if found else None

    async def kept(self, request_id: UUID, names: Sequence[str]) -> dict[str, Kept]:
        found = self.of(request_id).kept
        return {name: found[name] for name in names if name in found}

    def of(self, request_id: UUID | str) -> DomainDriver[IntakeCase]:
        one = UUID(str(request_id))
        return self.drivers.setdefault(one, DomainDriver(self.domain, self.clock.now(), one))

    def _one(self, message: Message) -> Result:
        driven = self.of(message.request_id)
        driven.now = self.clock.now()
        step = driven.deliver(message)
        return Result(message, step.status, step.refusal, step.case)


class FrontDesk:
    """The HTTP interface as a caller meets it."""

    def __init__(self, packages: Path = Path("/nonexistent"), *, per_minute: int = 0) -> None:
        self.clock = StandingClock()
        self.seconds = 0.0
        self.vault: Vault = memory_vault()
        self.decryption = DecryptionKeys.generate()
        self.cases = CasesInMemory(self.clock)
        self.cases.prepare = Prepare(desk(), self.decryption, self.vault, self.cases)
        self.packages = packages
        counter = Counter(desk(), keyring(), Batcher(self.cases), self.cases, self.clock)
        self.accounts = IdentityProvider(self.clock)
        collection = Collection(
            counter,
            Packages(packages, self.vault),
            self.cases,
            self.vault,
            Confirms(lambda _: (read_issuer(self.accounts.document()),), "habeas"),
            Letters(self.cases, self.vault, Texts({}, offered_regimes(), lambda _: "1.key"), self.clock),
        )
        self.app = FastAPI()
        pace = Pace(per_minute, monotonic=lambda: self.seconds)
        self.app.include_router(routes(counter, collection, jwks_document(self.decryption), pace))
        dress(self.app)

    @property
    def client(self) -> httpx2.AsyncClient:
        return self.calling("127.0.0.1")

    def calling(self, address: str) -> httpx2.AsyncClient:
        """Somebody at this address."""
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 4711))
        return httpx2.AsyncClient(transport=transport, base_url="http://intake")

    async def submit(self, body: dict[str, Any] | None = None, *, key: str | None = None) -> httpx2.Response:
        async with self.client as client:
            headers = {"Idempotency-Key": key} if key else {}
            return await client.post("/requests", json=body or PERSON, headers=headers)

    async def receipt(self, **more: Any) -> dict[str, Any]:
        """The receipt of a request that was received."""
        answer = await self.submit({**PERSON, **more})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ask(
        self,
        method: str,
        path: str,
        secret: str | None = None,
        *,
        extra: dict[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:
        shown = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
        async with self.client as client:
            return await client.request(method, path, headers={**shown, **(extra or {})}, **more)

    def encrypted(self, claims: dict[str, Any]) -> str:
        return encrypt_submission(json.dumps(claims).encode(), self.decryption.public_jwks()[0])


def refusals(step: Step[IntakeCase]) -> list[str]:
    """The reasons of the commands' answers that are refusals."""
    bodies = [sent.body for sent in step.sent]
    return [body.model_dump()["reason"] for body in bodies if body.declared.name.endswith("command-refused")]


def acceptances(step: Step[IntakeCase]) -> int:
    """How many commands were answered as taken."""
    return sum(sent.body.declared.name.endswith("command-accepted") for sent in step.sent)


def http_message(found: Submission, at: datetime = NOW) -> Message:
    """A submission over HTTP as the shell gets it."""
    return Message(
        id=REQUEST,
        ce_type="local.SubmitRequest",
        source=HTTP,
        kind="local",
        request_id=REQUEST,
        body=SubmitRequest(submission=found),
        at=at,
        business="cascadia",
        facts=found,
    )
