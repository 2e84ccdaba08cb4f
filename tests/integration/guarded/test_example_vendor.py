"""The example vendor at a broker that denies by default, as itself, with no right beyond its own two topics."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.access import grants_for
from deploy.onboarding import onboard, topics_of
from services.fulfillment.vendors.files import load_vendor
from shared.keyfiles import KeyFiles, init_keys
from shared.settings import Settings
from shared.signing import CommandIdentity, Unverified, VendorKeys, verify_command
from tests.support.guarded_broker import ADMIN, GuardedBroker
from tests.support.vendor_process import EXAMPLE, People

pytestmark = pytest.mark.connected
NAME, NAMESPACE = "evergreen-mail", "practice."


@pytest.fixture
async def handed(guarded_kafka: GuardedBroker, tmp_path: Path) -> tuple[Settings, Path]:
    """What `habeas vendors onboard` hands over, and the vendor's topics and rights at the broker."""
    init_keys(tmp_path / "keys")
    settings = Settings(home=tmp_path, namespace=NAMESPACE, kafka_bootstrap=guarded_kafka.bootstrap)
    vendor = load_vendor(Path("deploy/vendors") / f"{NAME}.yaml")
    admin = AIOKafkaAdminClient(**guarded_kafka.login(ADMIN))
    await admin.start()
    await admin.create_topics([NewTopic(NAMESPACE + one.name, 1, 1) for one in topics_of(NAME)])
    await admin.close()
    await guarded_kafka.grant(grants_for(NAME, namespace=NAMESPACE))
    return settings, await asyncio.to_thread(onboard, settings, vendor)


async def test_it_practises_on_the_example_about_nobody_and_answers_with_its_own_signature(
    guarded_kafka: GuardedBroker, handed: tuple[Settings, Path], tmp_path: Path
) -> None:
    settings, folder = handed
    example: dict[str, Any] = json.loads((folder / "example.json").read_text())
    people = People(tmp_path / "people.sqlite", ["nobody@example.com", "somebody@example.com"])
    async with AIOKafkaProducer(**guarded_kafka.login("fulfillment")) as producer:
        headers = [(name, text.encode()) for name, text in example["headers"].items()]
        value = json.dumps(example["value"]).encode()
        await producer.send_and_wait(example["topic"], value, key=example["key"].encode(), headers=headers)

    process = await started(guarded_kafka, folder, people)
    try:
        said = await two_words(guarded_kafka)
    finally:
        process.terminate()
        await process.communicate()

    assert people.left() == {"somebody@example.com": False}
    assert [record["ce_type"] for record, _ in said] == [
        "dsar.acknowledgement.received.v1", "dsar.acknowledgement.completed.v1",
    ]  # fmt: skip
    assert json.loads(said[1][1])["held"] is True
    keys = KeyFiles(settings.keys).vendor(NAME)
    assert [fault_of(record, value, keys) for record, value in said] == [None, None]


def fault_of(headers: dict[str, str], value: bytes, keys: VendorKeys) -> Unverified | None:
    identity = CommandIdentity(
        headers["ce_source"], headers["ce_id"], headers["ce_type"], headers["ce_subject"], ""
    )
    return verify_command(headers["ce_signature"], value, identity, keys.signs)


async def started(broker: GuardedBroker, folder: Path, people: People) -> asyncio.subprocess.Process:
    """The example, given its login as a vendor's engineer writes it down."""
    login = {key: word for key, word in broker.login(NAME).items() if isinstance(word, str)}
    file = folder / "login.json"
    file.write_text(json.dumps({**login, "cafile": str(broker.authority)}))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLE), "--kafka", broker.bootstrap, "--namespace", NAMESPACE),
        *("--name", NAME, "--login", str(file), "--keys", str(folder / "private.jwks.json")),
        *("--habeas", str(folder / "habeas.jwks.json"), "--people", str(people.file)),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def two_words(broker: GuardedBroker) -> list[tuple[dict[str, str], bytes]]:
    """What fulfillment reads of the vendor: headers and value of the first two records."""
    topic = NAMESPACE + topics_of(NAME)[1].name
    reader = AIOKafkaConsumer(topic, auto_offset_reset="earliest", **broker.login("fulfillment"))
    async with asyncio.timeout(60), reader:
        records = [await reader.getone(), await reader.getone()]
    return [({name: text.decode() for name, text in one.headers}, one.value) for one in records]
