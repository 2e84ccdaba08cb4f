"""Everything that the demonstration runs on: servers, keys, the sample business, four services, a watch."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.demo.accounts import IdentityProvider
from deploy.demo.cascadia.lead_store import lacking
from deploy.demo.cascadia.load import Cascadia, load
from deploy.demo.parts_office import PartsOffice
from deploy.demo.processes import Services
from deploy.demo.rooftop import Rooftop
from deploy.demo.told import ToldSystems
from deploy.demo.vendors import Vendors
from deploy.demo.watch import Watch
from deploy.installation import install
from deploy.local import stack
from deploy.local.stack import StackInfo
from deploy.topics import apply
from shared.clock import AdvancingClock
from shared.events.topics import TOPICS
from shared.ids import new_id
from shared.settings import Settings

BUSINESS = "cascadia"
PEOPLE = 3000
SYSTEMS = Path(__file__).parent.parent / "systems"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class World:
    """The running whole."""

    settings: Settings
    stack: StackInfo
    clock: AdvancingClock
    accounts: IdentityProvider
    business: Cascadia
    vendors: Vendors
    office: PartsOffice
    rooftop: Rooftop
    told: ToldSystems
    services: Services
    watch: Watch
    run: str

    def leave(self) -> None:
        """End whoever plays a vendor or a company."""
        self.vendors.stop()
        self.told.stop()
        self.business.close()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    home: Path
    requests: int
    seed: int
    broker: Literal["auto", "kafka", "light"] = "auto"


@asynccontextmanager
async def world(wanted: Wanted, say: Say) -> AsyncIterator[World]:
    """Bring everything up from nothing, and down again whatever happens.

    Raises:
        StackError: a server cannot be started; the sentence says what to do.
        ServiceFailed: one of the four did not come up.
    """
    home = wanted.home
    await asyncio.to_thread(_empty, home)
    say("starting PostgreSQL, Kafka and the mail catcher (the first time, Kafka's jars are fetched)")
    running = await asyncio.to_thread(stack.up, home, broker=wanted.broker, report=say)
    vendors = Vendors(_settings(home, running))
    services = Services(home, _environment(home, running, vendors))
    watch = Watch(running.kafka_bootstrap)
    # Each end is tried whatever became of those before it: no process may stay because another one would not go.
    async with AsyncExitStack() as ends:
        ends.push_async_callback(asyncio.to_thread, stack.down, home)
        say(f"broker {running.broker}; making topics, schemas, keys, and a business with {PEOPLE} people")
        say(_where_lists_lie())
        everything = await _furnished(wanted, running, vendors, (services, watch))
        ends.push_async_callback(asyncio.to_thread, everything.leave)
        ends.push_async_callback(asyncio.to_thread, services.stop)
        ends.push_async_callback(watch.stop)
        say("starting intake, verification, fulfillment, deadline and two vendors, a process each")
        await watch.start()
        everything.vendors.start()
        await asyncio.to_thread(services.start)
        yield everything


async def _furnished(
    wanted: Wanted, running: StackInfo, vendors: Vendors, parts: tuple[Services, Watch]
) -> World:
    """Topics, databases, keys and the sample business, on servers that run."""
    settings = _settings(wanted.home, running)
    await apply(settings, (*TOPICS, *vendors.topics))
    await install(settings, running.database_url)
    business = await load(
        running.database_url, wanted.home, seed=wanted.seed, people=PEOPLE, in_store=not lacking()
    )
    await asyncio.to_thread(vendors.furnish, [person.email for person in business.people])
    office = PartsOffice(settings)
    await asyncio.to_thread(office.furnish, business.people, SYSTEMS)
    business.describe(wanted.home / "systems")
    rooftop = Rooftop(wanted.home)
    await asyncio.to_thread(rooftop.furnish, business.people)
    told = ToldSystems(settings, running.mail_dir)
    await asyncio.to_thread(told.furnish, business.people)
    clock = AdvancingClock(settings.clock_file)
    accounts = IdentityProvider(clock)
    accounts.publish(wanted.home / "issuers", BUSINESS)
    run = str(new_id())[-8:]
    return World(settings, running, clock, accounts, business, vendors, office, rooftop, told, *parts, run)


def _where_lists_lie() -> str:
    """In an object store, where what it takes is installed."""
    if missing := lacking():
        return f"purchased lists lie in a folder; `make setup` installs an object store for them ({', '.join(missing)})"
    return (
        "purchased lists lie in an object store that keeps every version: moto's server, a process of its own"
    )


def _empty(home: Path) -> None:
    """Remove what an earlier demonstration left here, by name: a home may be a folder with other things in it."""
    stack.reset(home)
    for name in ("cascadia", "harbor", "issuers", "keys", "packages", "run", "secrets", "systems", "vendors"):
        shutil.rmtree(home / name, ignore_errors=True)
    (home / "clock.json").unlink(missing_ok=True)


def _settings(home: Path, running: StackInfo) -> Settings:
    return Settings().model_copy(
        update={
            "home": home,
            "kafka_bootstrap": running.kafka_bootstrap,
            "smtp_host": running.smtp_host,
            "smtp_port": running.smtp_port,
            "business": BUSINESS,
            "clock": "advance",
            "namespace": "",
        }
    )


def _environment(home: Path, running: StackInfo, vendors: Vendors) -> dict[str, str]:
    return {
        "HABEAS_HOME": str(home),
        "HABEAS_KAFKA_BOOTSTRAP": running.kafka_bootstrap,
        "HABEAS_SMTP_HOST": running.smtp_host,
        "HABEAS_SMTP_PORT": str(running.smtp_port),
        "HABEAS_BUSINESS": BUSINESS,
        "HABEAS_CLOCK": "advance",
        "HABEAS_NAMESPACE": "",
        "HABEAS_PORT": "0",
        "HABEAS_FULFILLMENT_SYSTEMS": str(home / "systems"),
        **vendors.environment,
        "HABEAS_INTAKE_BUSINESSES": '{"cascadia": {"name": "Cascadia Motors", "contact": "privacy@cascadia.example"}}',
        "HABEAS_INTAKE_MAIL_FROM": "privacy@cascadia.example",
        "HABEAS_INTAKE_SUBMISSIONS_PER_MINUTE": "0",
    }
