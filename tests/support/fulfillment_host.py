"""Fulfillment on its real database, with memory systems and without a broker: messages in, rows out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from deploy.commands import SOURCE
from services.fulfillment.app import assemble
from services.fulfillment.connected import Connected
from services.fulfillment.domain import FulfillmentCase
from services.fulfillment.vendors.classification import Classified
from shared.dead_letter_seal import DeadLetterSeal
from shared.events.catalogue import decode
from shared.events.envelope import Raw
from shared.events.fulfillment import RequestFulfilled, SystemOutcome
from shared.events.message import Command
from shared.hosting import Host, Resources, open_resources
from shared.machine.decision import Message
from shared.machine.shell import Result
from shared.privacy import Claims
from shared.signing import CommandIdentity, sign_command
from shared.vault.vault import Vault
from tests.support.domain_driver import Messages
from tests.support.eventually import eventually_async
from tests.support.facts import RECEIVED_AT, received, verified
from tests.support.installation import Installation

_DUE = """
SELECT EXISTS (SELECT FROM tasks WHERE state IN ('queued', 'ambiguous') AND run_at <= clock_timestamp())"""
SUBJECT = f"1:{'a' * 64}"


@dataclass
class FulfillmentHost:
    """One process of the service, driven by hand."""

    host: Host
    resources: Resources
    intake_vault: Vault

    async def asked(self, email: str, right: str = "delete", phone: str | None = None) -> "Asked":
        """A request with sealed claims that nobody was told of yet."""
        request_id = uuid4()
        await self.intake_vault.create([request_id])
        asked = Asked(request_id, Messages(request_id))
        message = asked.messages.event(received(right), at=RECEIVED_AT)
        plain = Claims(email=email, phone=phone).to_bytes()
        sealed = self.intake_vault.seal(request_id, message.id, "claims", plain)
        asked.received = replace(message, body=received(right, claims=sealed))
        return asked

    async def hear(self, *messages: Message) -> Sequence[Result]:
        return await self.host.shell.handle(messages)

    async def decided(self, asked: "Asked", body: Command) -> Result:
        """A person's decision, signed as the command line signs it."""
        message = asked.messages.command(body, at=RECEIVED_AT, source=SOURCE)
        value, key = body.model_dump_json().encode(), str(asked.request_id)
        actor = getattr(body, "actor", "")
        identity = CommandIdentity(SOURCE, str(message.id), message.ce_type, key, actor)
        signature = sign_command(value, identity, self.resources.keys.cli())
        raw = Raw(message.topic, 0, 0, key.encode(), (), value)
        (result,) = await self.hear(replace(message, signature=signature, raw=raw))
        return result

    async def run_tasks(self) -> None:
        """Run whatever is due, side by side, until nothing is."""
        for _ in range(100):
            await self.host.runner.turn()
            await self.host.runner.drain(within=10.0)
            if not await self.resources.pool.fetchval(_DUE):
                return
        raise AssertionError("there is always another task due")

    async def hurry(self) -> None:
        """Let every waiting task be due now."""
        await self.resources.pool.execute(
            "UPDATE tasks SET run_at = '-infinity' WHERE state IN ('queued', 'ambiguous')"
        )

    async def case(self, request_id: UUID) -> FulfillmentCase:
        body = await self.resources.pool.fetchval("SELECT body FROM cases WHERE request_id = $1", request_id)
        return FulfillmentCase.model_validate_json(body)

    async def fulfilled(self, request_id: UUID) -> list[RequestFulfilled]:
        """What lies in the outbox for a request's end."""
        rows = await self.resources.pool.fetch(
            "SELECT value FROM outbox WHERE request_id = $1 AND topic = 'dsar.fulfilled' ORDER BY id",
            request_id,
        )
        bodies = [decode(RequestFulfilled.declared.ce_type, row["value"]) for row in rows]
        return [body for body in bodies if isinstance(body, RequestFulfilled)]

    async def everything(self) -> dict[str, Any]:
        """Every row of every table that a replay must not change."""
        tables = ("cases", "tasks", "outbox", "audit", "kept", "open_subject")
        return {name: await self._rows(name) for name in tables}

    async def _rows(self, table: str) -> list[Any]:
        query = f"SELECT * FROM {table} ORDER BY 1, 2, 3"  # noqa: S608 - our own names
        rows: list[Any] = await self.resources.pool.fetch(query)
        return rows


@dataclass
class Asked:
    """One request's messages."""

    request_id: UUID
    messages: Messages
    received: Message | None = None

    def facts(self, right: str = "delete", **said: Any) -> tuple[Message, Message]:
        """Received, and verified as the one subject of these tests."""
        assert self.received is not None
        concluded = verified(right, **{"subject_hash": SUBJECT, **said})
        return self.received, self.messages.event(concluded, at=RECEIVED_AT)


@asynccontextmanager
async def fulfillment_host(
    installation: Installation, connected: Sequence[Connected], vendors: Sequence[Classified] = ()
) -> AsyncIterator[FulfillmentHost]:
    """Open one on an installation."""
    async with AsyncExitStack() as stack:
        resources = await open_resources(installation.settings, "fulfillment", stack)
        intake = await open_resources(installation.settings, "intake", stack)
        host = Host(resources, assemble(resources, connected, vendors), DeadLetterSeal(resources.vault))
        yield FulfillmentHost(host, resources, intake.vault)
        await asyncio.wait_for(host.runner.drain(within=5.0), 10.0)


async def goes_on(running: FulfillmentHost, asked: Asked) -> tuple[str, SystemOutcome]:
    """The next process ends what a killed one was at: how the request ended, and its one system."""
    await _its_lease_ran_out(running)
    await running.host.runner.drain(within=60)
    await running.run_tasks()
    (end,) = await running.fulfilled(asked.request_id)
    (outcome,) = end.systems
    return end.resolution, outcome


async def _its_lease_ran_out(running: FulfillmentHost) -> None:
    """What a killed process was at goes to the next, as the database's clock would say after a minute and a half."""
    pool = running.resources.pool
    await pool.execute("UPDATE tasks SET lease_until = '-infinity' WHERE state = 'calling'")

    async def expired() -> bool:
        await running.host.runner.turn()
        return not await pool.fetchval("SELECT count(*) FROM tasks WHERE lease_until = '-infinity'")

    await eventually_async(expired, within=10)
