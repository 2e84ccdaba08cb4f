"""A system of the business that passes requests on over Kafka: well, or in any wrong way that a test wants."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import RecordMetadata

from shared.clock import Clock
from shared.events.topics import SUBMISSIONS
from shared.ids import new_id, request_id_for
from shared.signing import encrypt_submission

SOURCE = "upstream/cascadia-web"
REQUEST = "dsar.submission.request.v1"
WITHDRAWAL = "dsar.submission.withdrawal.v1"
Headers = Sequence[tuple[str, bytes]]


class Upstream:
    """Publishes to `dsar.submissions` of one installation."""

    def __init__(self, bootstrap: str, namespace: str, jwk: Mapping[str, Any], clock: Clock) -> None:
        self._producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
        self._bootstrap = bootstrap
        self._topic = namespace + SUBMISSIONS.name
        self._jwk = dict(jwk)
        self._clock = clock

    async def start(self) -> None:
        await self._producer.start()

    async def close(self) -> None:
        await self._producer.stop()

    async def submit(self, claims: Mapping[str, Any], *, key: str, source: str = SOURCE) -> UUID:
        """A request; the id that it will have."""
        stated = {"received_at": self._clock.now().isoformat(), **claims}
        await self.send(
            self.sealed(stated), key=key.encode(), headers=self.headers(REQUEST, ce_source=source)
        )
        return request_id_for(source, key)

    async def withdraw(self, key: str, *, source: str = SOURCE) -> None:
        """What was submitted under this key is taken back."""
        value = json.dumps({"withdrawn_at": self._clock.now().isoformat()}).encode()
        await self.send(value, key.encode(), self.headers(WITHDRAWAL, ce_source=source))

    def sealed(self, claims: Mapping[str, Any], jwk: Mapping[str, Any] | None = None) -> bytes:
        """The record's value: claims encrypted to intake's key, or to another."""
        return json.dumps(
            {"claims": encrypt_submission(json.dumps(claims).encode(), jwk or self._jwk)}
        ).encode()

    def headers(self, kind: str, **changes: str) -> list[tuple[str, bytes]]:
        """CloudEvents headers as they should be, but for the changes."""
        named = {
            "ce_specversion": "1.0",
            "ce_id": str(new_id()),
            "ce_source": SOURCE,
            "ce_type": kind,
            "ce_time": self._clock.now().isoformat(),
            "content-type": "application/json",
            **changes,
        }
        return [(name, value.encode()) for name, value in named.items()]

    async def send_foreign(self, value: bytes, key: bytes, name: bytes, partition: int) -> RecordMetadata:
        """A record with good headers and one whose name is any bytes, as clients in other languages can write it."""
        # An idempotent producer makes its batches itself.
        plain = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=False)
        async with asyncio.timeout(10), plain as producer:
            batch = producer.create_batch()
            batch._builder = _DefaultRecordBatchBuilderPy(  # noqa: SLF001 - the fast one takes texts only
                magic=2,
                compression_type=0,
                is_transactional=0,
                producer_id=-1,
                producer_epoch=-1,
                base_sequence=-1,
                batch_size=1_000_000,
            )
            headers = [*self.headers(REQUEST), (_AnyName(name.decode("latin-1")), b"")]
            assert batch.append(timestamp=None, key=key, value=value, headers=headers)
            batch.close()
            sent: RecordMetadata = await (await producer.send_batch(batch, self._topic, partition=partition))
            return sent

    async def send(
        self, value: bytes | None, key: bytes | None, headers: Headers, partition: int | None = None
    ) -> RecordMetadata:
        """Any record at all; where it lies."""
        sent: RecordMetadata = await self._producer.send_and_wait(
            self._topic, value, key=key, headers=list(headers), partition=partition
        )
        return sent


class _AnyName(str):
    """A header's name as its bytes are."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode("latin-1")
