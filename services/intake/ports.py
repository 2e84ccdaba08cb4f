"""What intake needs from outside, as small as each need is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol
from uuid import UUID

from services.intake.domain import IntakeCase
from shared.machine.decision import Kept, Message
from shared.machine.shell import Result


class RequestKeys(Protocol):
    """The vault, as far as a batch needs it opened."""

    async def create(self, request_ids: Sequence[UUID]) -> None:
        """Give each request its key, once."""
        ...

    async def prefetch(self, request_ids: Sequence[UUID]) -> None:
        """Open the keys of these requests."""
        ...


class Unsealer(Protocol):
    """The vault, as far as one request's sealed fields are read."""

    async def prefetch(self, request_ids: Sequence[UUID]) -> None:
        """Open the keys of these requests."""
        ...

    def open(self, request_id: UUID, message_id: UUID, field: str, sealed: str) -> bytes:
        """The plaintext; raises a VaultError where there is none any more."""
        ...


class Cases(Protocol):
    """Intake's cases, read outside of any transaction."""

    async def case(self, request_id: UUID) -> IntakeCase | None:
        """The request's case, if there is one."""
        ...


class KeptFields(Protocol):
    """Sealed fields that were remembered for later."""

    async def kept(self, request_id: UUID, names: Sequence[str]) -> dict[str, Kept]:
        """Those of them that there are, by name."""
        ...


class Submits(Protocol):
    """The way into the shell for what arrives one by one."""

    async def submit(self, message: Message) -> Result:
        """Apply one message; its result after the commit."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took it over, which is when the notice counts as given."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server will never take it: the address or the message is refused for good."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; `uncertain` says that the server may have taken it all the same."""

    reason: str
    uncertain: bool = False


Handover = Accepted | Rejected | Later


class MailServer(Protocol):
    """Whoever takes notices over."""

    async def hand_over(self, message: EmailMessage) -> Handover:
        """Give it one message; every expected trouble is a value."""
        ...
