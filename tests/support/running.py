"""The four services as four processes on an installation, with everything around them that a requester meets."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import httpx2

from deploy.commands import send_command
from deploy.demo.accounts import IdentityProvider
from deploy.demo.processes import SERVE, Services
from deploy.demo.world import BUSINESS, SYSTEMS
from deploy.migrate import with_database
from shared.clock import AdvancingClock
from shared.events.message import Command
from shared.settings import Settings
from tests.support.installation import Installation
from tests.support.mailbox import Mailbox
from tests.support.tape import Tape, Taped
from tests.support.town import Town
from tests.support.upstream import Upstream


@dataclass
class Running:
    """One installation at work; `told` is the environment that its processes were given."""

    installation: Installation
    town: Town
    services: Services
    tape: Tape
    mailbox: Mailbox
    clock: AdvancingClock
    accounts: IdentityProvider
    upstream: Upstream
    http: httpx2.AsyncClient
    told: Mapping[str, str]
    asked: dict[UUID, object] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        more = {"clock": "advance", "business": BUSINESS}
        return self.installation.settings.model_copy(update=more)

    @property
    def intake(self) -> str:
        """Where intake listens now; after a restart it is another port."""
        return self.services.url("intake")

    async def start(self, *names: str) -> None:
        await asyncio.to_thread(self.services.start, *names)

    async def away(self) -> None:
        """The servers go away: whatever is connected to Kafka lets go."""
        await self.tape.stop()
        await self.upstream.close()

    async def back(self) -> None:
        """They are back: the topics are read on, from the beginning."""
        await self.tape.start()

    async def command(self, request_id: UUID, body: Command) -> str:
        """Send a person's decision; "accepted", or the word of its refusal."""
        command_id = str(await send_command(self.settings, request_id, body))

        def answer() -> Taped | None:
            answers = (one for one in self.tape.about(request_id) if ".command-" in one.kind)
            return next((one for one in answers if one.body["command_id"] == command_id), None)

        found: Taped = await self.tape.until(answer, what="an answer to the command")
        return str(found.body.get("reason", "accepted"))

    async def has_forgotten(self, request_id: UUID) -> bool:
        """Whether the vault holds no key for a request any more."""
        database = self.installation.databases.vault
        connection = await asyncpg.connect(with_database(self.installation.stack.database_url, database))
        try:
            query = "SELECT wrapped IS NULL FROM vault.keys WHERE request_id = $1"
            return bool(await connection.fetchval(query, request_id))
        finally:
            await connection.close()

    def logs(self) -> bytes:
        """What the services have logged."""
        return b"".join(file.read_bytes() for file in (self.settings.home / "logs").glob("*.log"))


def environment(installation: Installation) -> dict[str, str]:
    """What a service process of the sample business is told."""
    return {
        **installation.environment,
        "HABEAS_BUSINESS": BUSINESS,
        "HABEAS_CLOCK": "advance",
        "HABEAS_PORT": "0",
        "HABEAS_FULFILLMENT_SYSTEMS": str(SYSTEMS),
        "HABEAS_INTAKE_BUSINESSES": '{"cascadia": {"name": "Cascadia Motors"}}',
        "HABEAS_INTAKE_MAIL_FROM": "privacy@cascadia.example",
        "HABEAS_INTAKE_SUBMISSIONS_PER_MINUTE": "0",
    }


@asynccontextmanager
async def four_services(
    installation: Installation,
    town: Town,
    *,
    program: Sequence[str] = SERVE,
    more: Mapping[str, str] | None = None,
) -> AsyncIterator[Running]:
    """Start all four, and end all that were started whatever happens; `more` is what else they are told."""
    settings = installation.settings
    town.open_to(settings.home)
    told = {**environment(installation), **(more or {})}
    services = Services(settings.home, told, program)
    clock = AdvancingClock(settings.clock_file)
    accounts = IdentityProvider(clock)
    accounts.publish(settings.home / "issuers", BUSINESS)
    async with AsyncExitStack() as rest:
        rest.push_async_callback(asyncio.to_thread, services.stop)
        await asyncio.to_thread(services.start)
        tape = Tape(settings.kafka_bootstrap, settings.namespace, services.check)
        await tape.start()
        rest.push_async_callback(tape.stop)
        http = await rest.enter_async_context(httpx2.AsyncClient(timeout=30))
        upstream = Upstream(
            settings.kafka_bootstrap,
            settings.namespace,
            await submission_key(http, services.url("intake")),
            clock,
        )
        await upstream.start()
        rest.push_async_callback(upstream.close)
        mailbox = Mailbox(installation.stack.mail_dir)
        yield Running(installation, town, services, tape, mailbox, clock, accounts, upstream, http, told)


async def submission_key(http: httpx2.AsyncClient, intake: str) -> dict[str, str]:
    """Intake's published key for encrypted claims."""
    answer = await http.get(f"{intake}/.well-known/jwks.json")
    return next(key for key in answer.json()["keys"] if key.get("use") == "enc")
