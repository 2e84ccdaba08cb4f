"""One request whose vendors are told, with the real handlers, keys and signatures, and no broker between them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from services.fulfillment.acknowledging import Acknowledging
from services.fulfillment.vendors.classification import Classified
from shared.events.fulfillment import RequestFulfilled
from shared.events.message import Command
from shared.events.vendors import (
    CorrectionDirective,
    DeletionDirective,
    DirectiveCompleted,
    DirectiveReceived,
    DirectiveRefused,
    OptOutDirective,
)
from shared.keyfiles import init_keys
from shared.privacy import Claims
from tests.support.domain_driver import REQUEST, Sent
from tests.support.facts import RECEIVED_AT, verified
from tests.support.fulfillment_board import Board
from tests.support.vendor_at_work import VendorAtWork, read
from tests.support.vendors import classed

NOW = RECEIVED_AT + timedelta(hours=2)
Told: TypeAlias = DeletionDirective | OptOutDirective | CorrectionDirective
PERSON = Claims(email="Ada.Canary@example.com", phone="+14155550100")


class VendorBoard:
    """A request of one right; the vendor reads and answers when a test says so."""

    def __init__(
        self, folder: Path, vendors: Sequence[Classified] | None = None, right: str = "delete"
    ) -> None:
        init_keys(folder / "keys")
        self.folder, self.right = folder / "keys", right
        self.vendor = VendorAtWork()
        self.vendor.publish(self.folder)
        told = [classed("third_party", flows=[ADVERTISING])] if vendors is None else vendors
        self.board = Board(folder, NOW, vendors=told)
        self.acknowledging = Acknowledging(self.board.vendors, self.board.keys)

    @property
    def first(self) -> str:
        """The task that tells the vendor."""
        return f"act:{self.vendor.name}:{self.right}"

    def waits(self, messages: int = 1) -> str:
        """The task that waits for its word."""
        return f"await:{self.vendor.name}:{self.right}:{messages}"

    async def ask(self, claims: Claims = PERSON) -> None:
        """Received and verified."""
        await self.board.receive(self.right, claims)
        proof = {} if self.right == "delete" else {"conclusion": "not_needed"}
        self.board.hear(verified(self.right, **proof))

    async def tell(self) -> Told:
        """Run the task; what the vendor was sent."""
        await self.board.run(self.first)
        return self.directives[-1]

    @property
    def sent(self) -> list[Sent]:
        return [one for one in self.board.driver.sent if one.row.topic.startswith("dsar.directives.")]

    @property
    def directives(self) -> list[Told]:
        bodies = [one.body for one in self.sent]
        return [one for one in bodies if isinstance(one, Told)]

    @property
    def fulfilled(self) -> list[RequestFulfilled]:
        return self.board.fulfilled

    def opened(self, place: int = -1) -> dict[str, Any]:
        """What the vendor reads in one of its letters."""
        return self.vendor.opens(self.directives[place].letter, self.board.keys.directives().public())

    async def says(self, body: Command, **wrong: Any) -> str | None:
        """The vendor says something; why it was refused, if it was."""
        by = wrong.pop("by", self.vendor)
        message = read(by.says(body, REQUEST, self.now, **wrong))
        [facts] = await self.acknowledging.prepare([message])
        step = self.board.driver.deliver(replace(message, facts=facts))
        self.board.sync()
        return "duplicate" if step.status == "duplicate" else step.refusal

    async def has_received(self) -> None:
        assert await self.says(self.received()) is None

    @property
    def now(self) -> datetime:
        return self.board.driver.now

    def pass_(self, **by: float) -> None:
        self.board.driver.now += timedelta(**by)

    def received(self, directive_id: UUID | None = None) -> DirectiveReceived:
        return DirectiveReceived(directive_id=directive_id or self._id, received_at=self.now)

    def completed(self, directive_id: UUID | None = None, *, held: bool = True) -> DirectiveCompleted:
        return DirectiveCompleted(directive_id=directive_id or self._id, completed_at=self.now, held=held)

    def refused(self, directive_id: UUID | None = None) -> DirectiveRefused:
        return DirectiveRefused(
            directive_id=directive_id or self._id, refused_at=self.now, reason="not_identified"
        )

    @property
    def _id(self) -> UUID:
        return self.directives[-1].directive_id


ADVERTISING = {"data": ["identifiers"], "purpose": "cross_context_advertising"}
