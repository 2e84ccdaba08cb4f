"""The four services as processes, with a fault proxy on every way out of them, over servers of their own."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from deploy.demo.cascadia.places import RENTED
from deploy.demo.processes import Services
from deploy.demo.world import SYSTEMS
from deploy.local.processes import birth
from deploy.local.stack import StackInfo
from deploy.local.state import load
from shared.events.topics import SERVICES
from shared.private_files import read_private, write_private
from tests.faults.ears import KafkaEar, PostgresEar
from tests.faults.proxy import FaultProxy, fault_proxies
from tests.faults.rights import SERVICES_COME_FROM
from tests.support.eventually import eventually_async
from tests.support.installation import Installation, Installations
from tests.support.reading import through
from tests.support.running import Running, four_services
from tests.support.town import Town

PROGRAM = ("-m", "tests.faults.service")
QUICKER = {"retry_seconds: 30": "retry_seconds: 2", "statement_seconds: 20": "statement_seconds: 4"}

EXIT_WITHIN = 60.0


@dataclass
class World:
    """`databases` are the ways of the services to PostgreSQL, `systems` fulfillment's to the connected systems."""

    running: Running
    databases: dict[str, FaultProxy]
    systems: FaultProxy
    kafka: FaultProxy
    stack: StackInfo
    twins: list[Services] = field(default_factory=list)

    @property
    def services(self) -> Services:
        return self.running.services

    @property
    def environment(self) -> dict[str, str]:
        """What the services were told."""
        return dict(self.running.told)

    @property
    def proxies(self) -> tuple[FaultProxy, ...]:
        return (*self.databases.values(), self.systems, self.kafka)

    def heal(self) -> None:
        for proxy in self.proxies:
            proxy.heal()

    def note(self, noted: Callable[[], None]) -> None:
        for proxy in self.proxies:
            proxy.noted = noted

    def killing(self, service: str) -> Callable[[], Awaitable[None]]:
        """An act for a trap: as a power cut, before the next byte passes."""

        async def kill() -> None:
            self.services.kill(service)

        return kill

    def freezing(self, service: str) -> Callable[[], Awaitable[None]]:
        """An act for a trap: the process stands still before the next byte passes."""

        async def freeze() -> None:
            os.kill(self.services.pid(service), signal.SIGSTOP)

        return freeze

    def telling_to_end(self, service: str) -> Callable[[], Awaitable[None]]:
        """An act for a trap: the process gets SIGTERM before the next byte passes."""

        async def tell() -> None:
            self.services.tell_to_end(service)

        return tell

    async def restart(self, service: str) -> None:
        await self.running.start(service)

    async def terminate(self, service: str) -> float:
        """Ask a service to end; how long it took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.services.tell_to_end(service)
        await self.ended(service)
        return loop.time() - began

    async def ended(self, service: str) -> None:
        """Wait until a process that was told to end has ended."""
        pid = self.services.pid(service)

        async def gone() -> bool:
            return birth(pid) is None

        await eventually_async(gone, within=EXIT_WITHIN)
        self.services.kill(service)

    async def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the administrator sees in the services' database."""
        async with self.running.installation.admin() as connection:
            return [tuple(row) for row in await connection.fetch(query)]

    @asynccontextmanager
    async def twin(
        self, service: str, *, program: Sequence[str] = PROGRAM, **more: str
    ) -> AsyncIterator[Services]:
        """A second process of a service, until the end of the block; meanwhile it is the one whose URL is known."""
        first = self.running.settings.home / "run" / f"{service}.url"
        address = first.read_text()
        twin = Services(self.running.settings.home, {**self.environment, **more}, program)
        self.twins.append(twin)
        await asyncio.to_thread(twin.start, service)
        try:
            yield twin
        finally:
            self.twins.remove(twin)
            await asyncio.to_thread(twin.stop)
            write_private(first, address.encode())


@asynccontextmanager
async def fault_world(
    stack: StackInfo, installations: Installations, folder: Path, people: int
) -> AsyncIterator[World]:
    """Everything at work, behind proxies that let everything pass."""
    postgres = _place(stack.database_url)
    databases = {service: FaultProxy(postgres, PostgresEar) for service in SERVICES}
    systems = FaultProxy(postgres, PostgresEar)
    kafka = _before_kafka(stack)
    async with AsyncExitStack() as rest:
        await rest.enter_async_context(fault_proxies(*databases.values(), systems, kafka))
        town = await Town.build(stack.database_url, folder / "town", people=people)
        rest.callback(town.business.close)
        _lead(town.business.places.folder, "*.url", systems.port)
        installation = await installations.make()
        _lead_services(installation, databases)
        more = {"HABEAS_FULFILLMENT_SYSTEMS": str(_quicker_systems(folder))}
        if stack.kafka_proxied:
            more["HABEAS_KAFKA_BOOTSTRAP"] = f"127.0.0.1:{kafka.port}"
        running = await rest.enter_async_context(
            four_services(installation, town, program=PROGRAM, more=more)
        )
        yield World(running, databases, systems, kafka, stack)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 5432


def _before_kafka(stack: StackInfo) -> FaultProxy:
    """Several brokers have none, and lose whole processes instead: then nobody comes this way."""
    if not stack.kafka_proxied:
        return FaultProxy(("127.0.0.1", 1), KafkaEar)
    host, _, port = stack.kafka_proxied[0].rpartition(":")
    advertised = load(stack.home).proxy_port
    assert advertised is not None
    return FaultProxy((host, int(port)), KafkaEar, port=advertised, comes_from=SERVICES_COME_FROM)


def _lead_services(installation: Installation, databases: dict[str, FaultProxy]) -> None:
    for service, proxy in databases.items():
        for file in (
            installation.databases.url_file(service),
            installation.databases.vault_url_file(service),
        ):
            write_private(file, through(read_private(file).decode(), proxy.port).encode())


def _lead(folder: Path, files: str, port: int) -> None:
    """Send the adapters of PostgreSQL through its proxy; a file and rented services have other addresses."""
    for file in folder.glob(files):
        address = read_private(file).decode()
        if address.startswith("postgresql"):
            write_private(file, through(address, port).encode())


def _quicker_systems(folder: Path) -> Path:
    """The sample systems that a fault proxy stands before, waiting less: a test is no night.

    The rented services are left out: one of them can neither prove nor repeat, so that every doubt about a call
    ends with a person, which is right and never drains by itself.
    """
    copy = folder / "systems"
    shutil.copytree(SYSTEMS, copy)
    for name in RENTED:
        (copy / f"cascadia-{name}.yaml").unlink()
    for file in copy.glob("*.yaml"):
        text = file.read_text()
        for slow, quick in QUICKER.items():
            text = text.replace(slow, quick)
        file.write_text(text)
    return copy
