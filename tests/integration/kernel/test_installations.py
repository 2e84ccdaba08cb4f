"""The ground that connected tests stand on: installations on one pair of servers do not see each other."""

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from shared.events.topics import TOPICS
from tests.support.installation import Installation, Installations

pytestmark = pytest.mark.connected


async def test_an_installation_has_its_own_databases_topics_keys_and_roles(
    installations: Installations, installation: Installation
) -> None:
    other = await installations.make(topics=TOPICS[:2], partitions=1)

    assert other.databases.name != installation.databases.name
    assert (other.settings.keys / "kek.json").read_bytes() != (
        installation.settings.keys / "kek.json"
    ).read_bytes()
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.settings.kafka_bootstrap)
    await admin.start()
    names = set(await admin.list_topics())
    await admin.close()
    assert {installation.topic(topic) for topic in TOPICS} <= names
    assert {other.topic(topic) for topic in TOPICS} & names == {other.topic(topic) for topic in TOPICS[:2]}


async def test_a_service_reaches_its_own_schema_and_no_other(installation: Installation) -> None:
    async with installation.pool("intake") as pool:
        assert await pool.fetchval("SELECT count(*) FROM cases") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.fetchval("SELECT count(*) FROM deadline.cases")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("CREATE TABLE own (id int)")
