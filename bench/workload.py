"""W3: people who ask for deletion with an account assertion, made ready before anything is measured."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import httpx2
from aiokafka import AIOKafkaProducer

from deploy.demo.accounts import IdentityProvider
from shared.clock import Clock
from shared.ids import new_id, request_id_for
from shared.signing import encrypt_submission

SOURCE = "upstream/bench"
HTTP_SOURCE = "habeas/intake/http"
HTTP_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Prepared:
    """One submission, as bytes: nothing is left to compute when it goes out."""

    request_id: UUID
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Way(Protocol):
    """A way in: how submissions are prepared for it, and how one goes out."""

    name: str

    def prepare(self, claims: Sequence[dict[str, Any]], label: str) -> list[Prepared]:
        """Everything that can be computed beforehand."""
        ...

    async def submit(self, one: Prepared) -> None:
        """Send one."""
        ...

    async def submit_all(self, prepared: Sequence[Prepared]) -> None:
        """Send all as fast as possible."""
        ...


def people(number: int, label: str, accounts: IdentityProvider) -> Iterator[dict[str, Any]]:
    """What each person claims; the assertion is signed now, and good for five minutes."""
    for one in range(number):
        email = f"person-{one}@{label}.example.com"
        yield {
            "right": "delete",
            "residency": "US-CA",
            "requester": "subject",
            "name": f"Person {one} of {label}",
            "email": email,
            "customer_id": f"{label}-{one}",
            "assertion": accounts.assertion(email, subject=f"{label}-{one}"),
        }


class OverKafka:
    """The topic `dsar.submissions`, claims encrypted to intake's published key."""

    name = "kafka"

    def __init__(self, bootstrap: str, namespace: str, jwk: dict[str, Any], clock: Clock) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=2
        )
        self._topic = f"{namespace}dsar.submissions"
        self._jwk = jwk
        self._clock = clock

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    def prepare(self, claims: Sequence[dict[str, Any]], label: str) -> list[Prepared]:
        return [self._prepared(one, f"{label}-{number}") for number, one in enumerate(claims)]

    async def submit(self, one: Prepared) -> None:
        await self._producer.send(self._topic, one.value, key=one.key.encode(), headers=list(one.headers))

    async def submit_all(self, prepared: Sequence[Prepared]) -> None:
        for one in prepared:
            await self.submit(one)
        await self._producer.flush()

    def _prepared(self, claims: dict[str, Any], key: str) -> Prepared:
        now = self._clock.now().isoformat()
        plain = json.dumps({**claims, "channel": "phone", "received_at": now}).encode()
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(new_id()),
            "ce_source": SOURCE,
            "ce_type": "dsar.submission.request.v1",
            "ce_subject": key,
            "ce_time": now,
            "content-type": "application/json",
        }
        return Prepared(
            request_id=request_id_for(SOURCE, key),
            key=key,
            value=json.dumps({"claims": encrypt_submission(plain, self._jwk)}).encode(),
            headers=tuple((name, text.encode()) for name, text in headers.items()),
        )


class OverHttp:
    """`POST /requests`, at most so many at once."""

    name = "http"

    def __init__(self, url: str) -> None:
        limits = httpx2.Limits(max_connections=HTTP_AT_ONCE, max_keepalive_connections=HTTP_AT_ONCE)
        self._http = httpx2.AsyncClient(base_url=url, timeout=60, limits=limits)

    async def submission_key(self) -> dict[str, Any]:
        """Intake's published key for encrypted claims."""
        answer = await self._http.get("/.well-known/jwks.json")
        keys: list[dict[str, Any]] = answer.json()["keys"]
        return next(key for key in keys if key.get("use") == "enc")

    async def stop(self) -> None:
        await self._http.aclose()

    def prepare(self, claims: Sequence[dict[str, Any]], label: str) -> list[Prepared]:
        keys = [f"{label}-over-http-{number}" for number in range(len(claims))]
        bodies = [json.dumps({**one, "channel": "web"}).encode() for one in claims]
        return [
            Prepared(request_id_for(HTTP_SOURCE, key), key, body)
            for key, body in zip(keys, bodies, strict=True)
        ]

    async def submit(self, one: Prepared) -> None:
        headers = {"Idempotency-Key": one.key, "content-type": "application/json"}
        answer = await self._http.post("/requests", content=one.value, headers=headers)
        if answer.status_code != httpx2.codes.CREATED:
            raise RuntimeError(f"intake answered {answer.status_code}: {answer.text}")

    async def submit_all(self, prepared: Sequence[Prepared]) -> None:
        waiting = iter(prepared)

        async def worker() -> None:
            for one in waiting:
                await self.submit(one)

        async with asyncio.TaskGroup() as group:
            for _ in range(HTTP_AT_ONCE):
                group.create_task(worker())
