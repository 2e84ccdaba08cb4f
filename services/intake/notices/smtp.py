"""A mail server reached by SMTP: one connection per notice, every answer within its time."""

import asyncio
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final, Literal

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from services.intake.ports import Accepted, Handover, Later, Rejected
from shared.clock import Clock

# All steps together stay well inside the lease of a task.
WHOLE_SECONDS: Final = 30.0
WAIT_SECONDS: Final = 10.0
# Mail servers refuse a client with many connections; the tasks beyond these wait, and far more run side by side.
CONNECTIONS: Final = 8
PERMANENT: Final = 500


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to hand mail over; the password stays out of the repr."""

    clock: Clock
    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    seconds: float = 15
    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS), repr=False)

    async def hand_over(self, message: EmailMessage) -> Handover:
        """When one of our connections is free. What never had one was certainly not taken."""
        try:
            await asyncio.wait_for(self.free.acquire(), WAIT_SECONDS)
        except TimeoutError:
            return Later("busy")
        try:
            return await self._handed_over(message)
        finally:
            self.free.release()

    async def _handed_over(self, message: EmailMessage) -> Handover:
        """Connect, send, part. A refusal of the address is for good only when the server says 5xx."""
        client = SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.seconds,
            use_tls=self.security == "tls",
            start_tls=self.security == "starttls",
            username=self.username,
            password=self.password,
        )
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                return await self._connected(client, message)
        except TimeoutError:
            return Later("timeout", uncertain=True)
        finally:
            client.close()

    async def _connected(self, client: SMTP, message: EmailMessage) -> Handover:
        try:
            await client.connect()
        except (SMTPException, OSError) as error:
            return Later(_word(error))
        trouble = await _trouble(client, message)
        if trouble is not None:
            return trouble
        accepted = Accepted(self.clock.now())
        await _part(client)
        return accepted


async def _trouble(client: SMTP, message: EmailMessage) -> Rejected | Later | None:
    try:
        await client.send_message(message)
    except SMTPRecipientsRefused as error:
        return _by_code(max(one.code for one in error.recipients), "address_refused")
    except SMTPDataError as error:
        return _by_code(error.code, "message_refused")
    except SMTPNotSupported:
        return Rejected("address_not_supported")
    except SMTPResponseException as error:
        # The sender or our account was refused: our own set-up is wrong, not the requester's address.
        return Later(_word(error))
    except (SMTPException, OSError) as error:
        return Later(_word(error), uncertain=True)
    return None


def _by_code(code: int, reason: str) -> Rejected | Later:
    return Rejected(reason) if code >= PERMANENT else Later(reason)


async def _part(client: SMTP) -> None:
    """Say goodbye; the message is the server's already, so nothing that goes wrong here matters."""
    try:
        await client.quit()
    except (SMTPException, OSError):
        return


def _word(error: Exception) -> str:
    """A reason for the log: the kind of trouble, never the server's text, which may repeat the address."""
    return type(error).__name__
