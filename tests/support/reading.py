"""A service that reads its topics, as `shared.hosting` puts it together, around the counting domain."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from shared.broker import Broker
from shared.events.topics import COMMANDS_VERIFICATION, RECEIVED
from shared.messaging import Handle, Intake, Subscription
from tests.support.installation import Installation
from tests.support.machine import Machine


@dataclass
class Reader:
    """One member of the group."""

    subscription: Subscription
    intake: Intake
    batches: list[float] = field(default_factory=list)

    @property
    def given_back(self) -> int:
        """How often in a row a batch was given back."""
        return self.intake._failures  # noqa: SLF001 - nothing but a log line tells it


@asynccontextmanager
async def reading(
    machine: Machine, kernel: Installation, *, bootstrap: str | None = None
) -> AsyncIterator[Reader]:
    """Read until the end of the block."""
    batches: list[float] = []
    intake = Intake(machine.shell, batches.append, namespace=kernel.settings.namespace)
    async with subscribed(kernel, intake, bootstrap=bootstrap) as subscription:
        yield Reader(subscription, intake, batches)


@asynccontextmanager
async def subscribed(
    kernel: Installation, handle: Handle, *, bootstrap: str | None = None
) -> AsyncIterator[Subscription]:
    """Give every batch to `handle` until the end of the block."""
    settings = kernel.settings
    subscription = Subscription(
        Broker(bootstrap or settings.kafka_bootstrap),
        service="verification",
        topics=[RECEIVED, COMMANDS_VERIFICATION],
        namespace=settings.namespace,
    )
    subscription.feed(handle)
    await subscription.start()
    try:
        yield subscription
    finally:
        await subscription.stop()


def through(url: str, port: int) -> str:
    """The same database, reached by a port of a proxy on this machine."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
