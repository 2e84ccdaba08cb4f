"""The two ways in: the web form's HTTP request, and the upstream system's Kafka record with encrypted claims."""

import asyncio
import email
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from aiokafka import AIOKafkaProducer

from shared.clock import Clock
from shared.ids import new_id, request_id_for
from shared.signing import encrypt_submission

SOURCE = "upstream/cascadia-web"
CODE = re.compile(r"\b(\d{8})\b")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the requester holds: the request's id, and over HTTP its secret."""

    request_id: UUID
    secret: str | None = None


class WebDesk:
    """Submits over HTTP, as the business's web form does."""

    def __init__(self, url: str) -> None:
        self._http = httpx2.AsyncClient(base_url=url, timeout=30)

    async def submit(self, body: Mapping[str, Any], *, key: str) -> Receipt:
        """Hand in a request; the answer must be 201."""
        answer = await self._http.post("/requests", json=dict(body), headers={"Idempotency-Key": key})
        if answer.status_code != httpx2.codes.CREATED:
            raise RuntimeError(f"intake answered {answer.status_code}: {answer.text}")
        given = answer.json()
        return Receipt(UUID(given["request_id"]), given["secret"])

    async def answer_code(self, receipt: Receipt, code: str) -> None:
        """Type in the code from the mail."""
        answer = await self._http.post(
            f"/requests/{receipt.request_id}/verification",
            json={"code": code},
            headers={"Authorization": f"Bearer {receipt.secret}"},
        )
        answer.raise_for_status()

    async def collect(self, receipt: Receipt, assertion: str) -> bytes:
        """Confirm again, and fetch the answer by the link that this gives."""
        bearer = {"Authorization": f"Bearer {receipt.secret}"}
        path = f"/requests/{receipt.request_id}/package/link"
        link = await self._http.post(path, json={"assertion": assertion}, headers=bearer)
        link.raise_for_status()
        answer = await self._http.get(link.json()["link"])
        answer.raise_for_status()
        return answer.content

    async def withdraw(self, receipt: Receipt) -> None:
        """Take a request back."""
        bearer = {"Authorization": f"Bearer {receipt.secret}"}
        answer = await self._http.post(f"/requests/{receipt.request_id}/withdrawal", headers=bearer)
        answer.raise_for_status()

    async def submission_key(self) -> Mapping[str, Any]:
        """Intake's published key for encrypted claims."""
        answer = await self._http.get("/.well-known/jwks.json")
        answer.raise_for_status()
        return next(key for key in answer.json()["keys"] if key.get("use") == "enc")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class Upstream:
    """Submits over Kafka, as the business's own systems do."""

    def __init__(self, bootstrap: str, namespace: str, jwk: Mapping[str, Any], clock: Clock) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        self._topic = f"{namespace}dsar.submissions"
        self._jwk = jwk
        self._clock = clock

    async def start(self) -> None:
        """Connect."""
        await self._producer.start()

    async def submit(self, claims: Mapping[str, Any], *, key: str) -> Receipt:
        """Publish one submission and wait until the broker has it."""
        body = json.dumps({"claims": encrypt_submission(json.dumps(claims).encode(), dict(self._jwk))})
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(new_id()),
            "ce_source": SOURCE,
            "ce_type": "dsar.submission.request.v1",
            "ce_subject": key,
            "ce_time": self._clock.now().isoformat(),
            "content-type": "application/json",
        }
        await self._producer.send_and_wait(
            self._topic,
            body.encode(),
            key=key.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )
        return Receipt(request_id_for(SOURCE, key))

    async def close(self) -> None:
        """Flush and disconnect."""
        await self._producer.stop()


async def code_for(address: str, mail: Path, *, seconds: float = 60) -> str:
    """Wait for the mail with a verification code to this address, as the person would.

    Raises:
        TimeoutError: none came.
    """
    async with asyncio.timeout(seconds):
        while True:
            code = _newest_code(mail, address)
            if code is not None:
                return code
            await asyncio.sleep(0.2)


def _newest_code(mail: Path, address: str) -> str | None:
    codes = [code for file in sorted(mail.glob("*.eml")) if (code := _code_in(file, address))]
    return codes[-1] if codes else None


def _code_in(file: Path, address: str) -> str | None:
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    if address not in str(message["To"]) or "code" not in str(message["Subject"]).lower():
        return None
    part = message.get_body(("plain",))
    found = CODE.search(part.get_content()) if part is not None else None
    return found.group(1) if found else None
