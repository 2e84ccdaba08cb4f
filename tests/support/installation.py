"""An installation of its own on servers that others use too: databases, roles, topics, keys, folders."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.stack import StackInfo
from deploy.migrate import Databases, migrate, service_role, with_database
from deploy.topics import apply
from deploy.vault_database import LOGINS, vault_role
from shared.database import open_pool
from shared.events.topics import SERVICES, TOPICS, Topic
from shared.keyfiles import init_keys
from shared.private_files import read_private
from shared.settings import Settings


@dataclass(frozen=True)
class Installation:
    """Everything that `habeas migrate` and `habeas topics apply` make, under names that nobody else has."""

    stack: StackInfo
    settings: Settings
    databases: Databases

    @property
    def admin_url(self) -> str:
        """The administrator's URL of the services' database."""
        return with_database(self.stack.database_url, self.databases.name)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this installation is told."""
        settings = self.settings
        return {
            "HABEAS_HOME": str(settings.home),
            "HABEAS_NAMESPACE": settings.namespace,
            "HABEAS_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
            "HABEAS_DATABASE_URL": self.stack.database_url,
            "HABEAS_SMTP_HOST": settings.smtp_host,
            "HABEAS_SMTP_PORT": str(settings.smtp_port),
        }

    def url(self, service: str) -> str:
        """A service's own database URL."""
        return read_private(self.databases.url_file(service)).decode()

    def topic(self, topic: Topic) -> str:
        """The name of a topic on the broker."""
        return self.settings.namespace + topic.name

    @asynccontextmanager
    async def pool(self, service: str, *, size: int = 6) -> AsyncIterator[asyncpg.Pool]:
        """A service's pool, with its own rights only."""
        pool = await open_pool(self.url(service), application="habeas-test", size=size)
        try:
            yield pool
        finally:
            await pool.close()

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection with every right."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            yield connection
        finally:
            await connection.close()


class Installations:
    """Makes installations from one template; `tidy` takes them away again from servers that stay."""

    def __init__(self, stack: StackInfo, folder: Path, *, tidy: bool) -> None:
        self._stack = stack
        self._folder = folder
        self._tidy = tidy
        self._template: Databases | None = None
        self._made = AsyncExitStack()

    async def make(
        self, *, topics: Sequence[Topic] = TOPICS, partitions: int | None = None, smtp_port: int | None = None
    ) -> Installation:
        """A fresh one; `partitions` fewer than declared where a test makes many topics."""
        if self._template is None:
            self._template = await self._migrated(_names(self._folder))
        databases = _names(self._folder)
        await self._copy(self._template, databases)
        await self._migrated(databases)
        home = databases.folder.parent
        init_keys(home / "keys")
        settings = Settings(
            home=home,
            namespace=f"{databases.name}.",
            kafka_bootstrap=self._stack.kafka_bootstrap,
            smtp_host=self._stack.smtp_host,
            smtp_port=smtp_port or self._stack.smtp_port,
        )
        await self._make_topics(settings, topics, partitions)
        return Installation(self._stack, settings, databases)

    async def close(self) -> None:
        """Drop the databases, roles and topics where the servers outlive the tests."""
        if self._tidy:
            await self._made.aclose()

    async def _migrated(self, databases: Databases) -> Databases:
        self._made.push_async_callback(self._drop, databases)
        await migrate(self._stack.database_url, databases)
        return databases

    async def _copy(self, template: Databases, databases: Databases) -> None:
        admin = await asyncpg.connect(self._stack.database_url)
        try:
            for name, source in ((databases.name, template.name), (databases.vault, template.vault)):
                owner = await admin.fetchval(
                    "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1", source
                )
                await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}" OWNER {owner}')
        finally:
            await admin.close()

    async def _drop(self, databases: Databases) -> None:
        admin = await asyncpg.connect(self._stack.database_url)
        try:
            for name in (databases.name, databases.vault):
                await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            for role in _roles(databases):
                await admin.execute(f"DROP ROLE IF EXISTS {role}")
        finally:
            await admin.close()

    async def _make_topics(self, settings: Settings, topics: Sequence[Topic], partitions: int | None) -> None:
        if topics:
            wanted = [replace(topic, partitions=min(topic.partitions, partitions or 99)) for topic in topics]
            self._made.push_async_callback(
                self._delete_topics, [settings.namespace + topic.name for topic in wanted]
            )
            await apply(settings, wanted)

    async def _delete_topics(self, names: list[str]) -> None:
        # A broker that a test left stopped goes away with the whole stack.
        with suppress(KafkaError, OSError):
            async with _kafka_admin(self._stack) as admin:
                await admin.delete_topics(names)


def _names(folder: Path) -> Databases:
    name = f"t{secrets.token_hex(4)}"
    return Databases(folder / name / "secrets", name=name, vault=f"{name}_vault")


def _roles(databases: Databases) -> list[str]:
    services = [service_role(databases.name, service) for service in SERVICES]
    return [*services, *(vault_role(login, databases.vault) for login in LOGINS)]


@asynccontextmanager
async def _kafka_admin(stack: StackInfo) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_bootstrap, client_id="habeas-test")
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
