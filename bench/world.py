"""What the bench runs on: the embedded stack, an installation on it, and the four services as four processes."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import asyncpg

from bench.closings import Closings
from bench.workload import OverHttp, OverKafka
from deploy.demo.accounts import IdentityProvider
from deploy.demo.processes import Services
from deploy.installation import install
from deploy.local import stack
from deploy.local.stack import StackInfo
from deploy.migrate import with_database
from deploy.topics import apply
from shared.clock import SystemClock
from shared.events.topics import SERVICES
from shared.settings import Settings

BUSINESS = "bench"
Say = Callable[[str], None]
Before = Callable[[Settings, StackInfo], Awaitable[None]]
Broker = Literal["auto", "kafka", "light"]


@dataclass(frozen=True, slots=True)
class World:
    """The running whole; `admin` is a connection to the services' database with every right."""

    settings: Settings
    stack: StackInfo
    services: Services
    more: list[Services]
    accounts: IdentityProvider
    closings: Closings
    kafka: OverKafka
    http: OverHttp
    admin: asyncpg.Connection

    @property
    def pids(self) -> dict[str, int]:
        """Every process that does the work, and the bench itself."""
        servers = {one.name: one.pid for one in stack.status(self.settings.home).components if one.pid}
        ours = {name: self.services.pid(name) for name in SERVICES}
        for number, services in enumerate(self.more, 2):
            ours |= {f"{name} {number}": services.pid(name) for name in SERVICES}
        return {
            **ours,
            "postgres": servers["postgres"],
            "kafka": servers.get("kafka") or servers["light"],
            "bench": os.getpid(),
        }


@asynccontextmanager
async def servers(home: Path, broker: Broker, say: Say) -> AsyncIterator[tuple[Settings, StackInfo]]:
    """PostgreSQL and Kafka with everything that the services need, from nothing, and down again."""
    await asyncio.to_thread(_empty, home)
    say("starting PostgreSQL and Kafka")
    try:
        running = await asyncio.to_thread(stack.up, home, broker=broker)
        settings = _settings(home, running)
        await apply(settings)
        await install(settings, running.database_url)
        yield settings, running
    finally:
        await asyncio.to_thread(stack.down, home)


@asynccontextmanager
async def world(
    home: Path, broker: Broker, say: Say, *, instances: int = 1, before: Before | None = None
) -> AsyncIterator[World]:
    """Bring everything up from nothing, with so many of each service, and down again whatever happens.

    `before` is called when the servers run and the services do not.
    """
    async with AsyncExitStack() as rest:
        settings, running = await rest.enter_async_context(servers(home, broker, say))
        if before is not None:
            await before(settings, running)
        accounts = IdentityProvider(SystemClock())
        accounts.publish(home / "issuers", BUSINESS)
        say(f"starting the four services, {instances} of each")
        every = [Services(home, environment(settings), ("-m", "bench.service")) for _ in range(instances)]
        for services in every:
            rest.push_async_callback(asyncio.to_thread, services.stop)
            await asyncio.to_thread(services.start)
        yield await _connected(rest, settings, running, every, accounts)


async def _connected(
    rest: AsyncExitStack,
    settings: Settings,
    running: StackInfo,
    every: list[Services],
    accounts: IdentityProvider,
) -> World:
    closings = Closings(settings.kafka_bootstrap, settings.namespace)
    await closings.start()
    rest.push_async_callback(closings.stop)
    http = OverHttp(every[0].url("intake"))
    rest.push_async_callback(http.stop)
    kafka = OverKafka(
        settings.kafka_bootstrap, settings.namespace, await http.submission_key(), SystemClock()
    )
    await kafka.start()
    rest.push_async_callback(kafka.stop)
    admin = await asyncpg.connect(with_database(running.database_url, "habeas"))
    rest.push_async_callback(admin.close)
    return World(settings, running, every[0], every[1:], accounts, closings, kafka, http, admin)


def _empty(home: Path) -> None:
    """Remove what an earlier bench left here, by name."""
    stack.reset(home)
    for name in ("issuers", "keys", "packages", "run", "secrets"):
        shutil.rmtree(home / name, ignore_errors=True)


def _settings(home: Path, running: StackInfo) -> Settings:
    return Settings().model_copy(
        update={
            "home": home,
            "kafka_bootstrap": running.kafka_bootstrap,
            "business": BUSINESS,
            "clock": "system",
            "namespace": "",
        }
    )


def environment(settings: Settings) -> dict[str, str]:
    """What a process of ours is told to find this installation."""
    return {
        "HABEAS_HOME": str(settings.home),
        "HABEAS_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "HABEAS_BUSINESS": BUSINESS,
        "HABEAS_CLOCK": "system",
        "HABEAS_INTAKE_SUBMISSIONS_PER_MINUTE": "0",
        "HABEAS_NAMESPACE": "",
        "HABEAS_PORT": "0",
    }
