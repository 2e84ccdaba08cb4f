"""A vendor's engineer at a terminal: reads what the vendor is told, and says anything, also what is wrong.

It stands in for the vendor's program, and knows no more than what `habeas vendors onboard` handed over.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.clock import Clock
from shared.events import envelope
from shared.events.envelope import Envelope
from shared.events.message import Command
from shared.events.topics import ACKNOWLEDGEMENTS, DIRECTIVES
from shared.events.vendors import DirectiveCompleted, DirectiveReceived, DirectiveRefused, Refusal
from shared.ids import new_id
from shared.private_files import read_private
from shared.settings import Settings
from shared.signing import CommandIdentity, KeyRing, sign_command

WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Directive:
    """One message to the vendor."""

    request_id: UUID
    id: UUID
    message: int


@dataclass
class VendorAtHand:
    """Reads the vendor's own topic; with `group` as the vendor itself, so that its program does not read it again."""

    settings: Settings
    vendor: str
    clock: Clock
    group: bool = True
    told: list[Directive] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        at = {"bootstrap_servers": self.settings.kafka_bootstrap}
        topic = self.settings.namespace + DIRECTIVES.of(self.vendor).name
        reads: dict[str, Any] = {"auto_offset_reset": "earliest", "enable_auto_commit": False}
        group = self.settings.namespace + self.vendor if self.group else None
        self._reader = AIOKafkaConsumer(topic, group_id=group, **reads, **at)
        self._writer = AIOKafkaProducer(**at)
        await self._reader.start()
        await self._writer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reader.stop()
        await self._writer.stop()

    async def hears(self, request_id: UUID, message: int = 1, *, within: float = WAIT_SECONDS) -> Directive:
        """Wait until the vendor was told of a request so many times.

        Raises:
            TimeoutError: it was not.
        """
        try:
            async with asyncio.timeout(within):
                while (found := self._known(request_id, message)) is None:
                    await self._read()
        except TimeoutError:
            raise TimeoutError(f"{self.vendor} was not told {message} times of {request_id}") from None
        return found

    async def received(self, about: Directive, **wrong: Any) -> UUID:
        """Say that it has the directive; the word's id, by which it is answered."""
        return await self._say(
            DirectiveReceived(directive_id=wrong.pop("id", about.id), received_at=self.clock.now()),
            about,
            **wrong,
        )

    async def completed(self, about: Directive, *, held: bool = True) -> UUID:
        """Say that it did it."""
        body = DirectiveCompleted(directive_id=about.id, completed_at=self.clock.now(), held=held)
        return await self._say(body, about)

    async def refuses(self, about: Directive, reason: Refusal) -> UUID:
        """Say that it will not."""
        body = DirectiveRefused(directive_id=about.id, refused_at=self.clock.now(), reason=reason)
        return await self._say(body, about)

    def _known(self, request_id: UUID, message: int) -> Directive | None:
        return next(
            (one for one in self.told if (one.request_id, one.message) == (request_id, message)), None
        )

    async def _read(self) -> None:
        for records in (await self._reader.getmany(timeout_ms=200)).values():
            for record in records:
                body = json.loads(record.value)
                about = Directive(UUID(record.key.decode()), UUID(body["directive_id"]), body["message"])
                self.told.append(about)
        if self.group:
            await self._reader.commit()

    async def _say(
        self, body: Command, about: Directive, *, source: str | None = None, signs: KeyRing | None = None
    ) -> UUID:
        said, value = new_id(), body.model_dump_json().encode()
        identity = CommandIdentity(
            source=source or f"vendor/{self.vendor}",
            id=str(said),
            type=body.declared.ce_type,
            subject=str(about.request_id),
            actor="",
        )
        head = Envelope(
            id=said,
            source=identity.source,
            ce_type=identity.type,
            subject=about.request_id,
            time=self.clock.now(),
            sequence=None,
            business="",
            correlation_id=identity.subject,
            traceparent="",
            signature=sign_command(value, identity, signs or self._signs()),
        )
        headers = [(name, text.encode()) for name, text in envelope.write(head).items()]
        topic = self.settings.namespace + ACKNOWLEDGEMENTS.of(self.vendor).name
        key = str(body.model_dump()["directive_id"]).encode()
        await self._writer.send_and_wait(topic, value, key=key, headers=headers)
        return said

    def _signs(self) -> KeyRing:
        file = handed_over(self.settings, self.vendor) / "private.jwks.json"
        keys: list[Mapping[str, Any]] = json.loads(read_private(file))["keys"]
        mine = [key for key in keys if key["use"] == "sig"]
        return KeyRing.from_document(json.dumps({"keys": mine}).encode())


def handed_over(settings: Settings, vendor: str) -> Path:
    """What a vendor was handed over."""
    return settings.home / "vendors" / vendor
