"""Vendors on the real broker: the example is told, does it, answers; a stranger in its place moves nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.topics import vendor_topics
from services.fulfillment.vendors.classification import classify
from services.fulfillment.vendors.files import load_vendors
from shared.events.topics import DIRECTIVES, TOPICS
from shared.events.vendors import DirectiveReceived
from shared.settings import Settings
from tests.support.eventually import eventually_async
from tests.support.fulfillment_host import FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.memory_system import Row, connected, memory_system
from tests.support.vendor_at_work import VendorAtWork
from tests.support.vendor_process import People, vendor_at
from tests.support.vendors import TODAY, a_flow, a_vendor

pytestmark = pytest.mark.connected
EMAIL, OTHER = "ada.canary@example.com", "bob@example.com"
NAME = "acme-mail"


@dataclass
class AtWork:
    """Fulfillment, started, with one vendor onboarded."""

    installation: Installation
    service: FulfillmentHost

    @property
    def settings(self) -> Settings:
        return self.installation.settings

    async def ends(self, request_id: UUID) -> Any:
        return (await eventually_async(lambda: self.service.fulfilled(request_id), within=30))[0]

    async def refusals(self, request_id: UUID) -> list[str]:
        """Why what vendors said about a request was refused, in order."""
        rows = await self.service.resources.pool.fetch(
            "SELECT value FROM outbox WHERE request_id = $1 AND headers LIKE '%command-refused%' ORDER BY id",
            request_id,
        )
        return [json.loads(row["value"])["reason"] for row in rows]


def onboarded(settings: Settings, folder: Path) -> None:
    """As a person does it."""
    vendor = a_vendor("third_party", flows=[a_flow("cross_context_advertising")])
    folder.mkdir()
    (folder / f"{NAME}.yaml").write_text(yaml.safe_dump(vendor.model_dump(mode="json", exclude_none=True)))
    environment = {
        "HABEAS_HOME": str(settings.home),
        "HABEAS_NAMESPACE": settings.namespace,
        "HABEAS_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
    }
    words = ["vendors", "onboard", NAME, "--vendors", str(folder), "--json"]
    answer = CliRunner(env=environment).invoke(app, words)
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["files"] == [
        "README.md", "acls.sh", "example.json", "habeas.jwks.json", "letter.schema.json", "private.jwks.json",
        "vendors.asyncapi.yaml",
    ]  # fmt: skip


@pytest.fixture(scope="module")
async def at_work(
    installations: Installations, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AtWork]:
    needed = [one for one in TOPICS if "fulfillment" in (*one.readers, *one.writers)]
    installation = await installations.make(topics=needed, partitions=1)
    folder = tmp_path_factory.mktemp("described") / "vendors"
    await asyncio.to_thread(onboarded, installation.settings, folder)
    vendors = [classify(one, TODAY) for one in load_vendors(folder)]
    crm = memory_system("crm", Row("people", 1, {"email": EMAIL}), tables=())
    async with fulfillment_host(installation, [connected(crm)], vendors) as service:
        await service.host.start()
        yield AtWork(installation, service)
        await service.host.stop()


async def ask(at_work: AtWork, right: str) -> UUID:
    asked = await at_work.service.asked(EMAIL, right)
    said = {} if right == "delete" else {"conclusion": "not_needed", "subject_hash": None}
    await at_work.service.hear(*asked.facts(right, **said))
    at_work.service.host.loops["tasks"].wakeup.set()
    return asked.request_id


async def test_the_example_vendor_deletes_whom_it_is_told_and_the_request_ends(
    at_work: AtWork, tmp_path: Path
) -> None:
    people = People(tmp_path / "people.sqlite", [EMAIL, OTHER])

    async with vendor_at(at_work.settings, NAME, people):
        ended = await at_work.ends(await ask(at_work, "delete"))

    assert people.left() == {OTHER: False}
    assert ended.resolution == "complete"
    assert {(one.system, one.outcome) for one in ended.systems} == {("crm", "done"), (NAME, "done")}


async def test_an_opt_out_reaches_it_too(at_work: AtWork, tmp_path: Path) -> None:
    people = People(tmp_path / "people.sqlite", [EMAIL, OTHER])

    async with vendor_at(at_work.settings, NAME, people):
        ended = await at_work.ends(await ask(at_work, "opt_out"))

    assert people.left() == {EMAIL: True, OTHER: False}
    assert [(one.system, one.outcome) for one in ended.systems] == [(NAME, "done")]


async def test_a_vendor_that_was_away_finds_its_directive_and_one_that_reads_again_does_no_harm(
    at_work: AtWork, tmp_path: Path
) -> None:
    people = People(tmp_path / "people.sqlite", [EMAIL, OTHER])
    request_id = await ask(at_work, "delete")
    await eventually_async(lambda: _told(at_work, request_id), within=20)

    async with vendor_at(at_work.settings, NAME, people):
        await at_work.ends(request_id)
    await _read_again(at_work.settings)
    before = await at_work.service.case(request_id)
    async with vendor_at(at_work.settings, NAME, people):
        refused = await eventually_async(lambda: _refused(at_work, request_id, 2), within=30)

    assert refused == ["already_ended", "already_ended"]
    assert await at_work.service.case(request_id) == before
    assert len(await at_work.service.fulfilled(request_id)) == 1


async def test_a_stranger_in_the_vendors_place_is_refused_on_the_journal_and_moves_nothing(
    at_work: AtWork,
) -> None:
    request_id = await ask(at_work, "delete")
    await eventually_async(lambda: _told(at_work, request_id), within=20)
    before = await at_work.service.case(request_id)
    known = before.directive_to(NAME)
    assert known is not None
    body = DirectiveReceived(directive_id=known.id, received_at=known.told_at)

    async with AIOKafkaProducer(bootstrap_servers=at_work.settings.kafka_bootstrap) as producer:
        raw = VendorAtWork(NAME).says(body, request_id, known.told_at)
        await producer.send_and_wait(
            at_work.settings.namespace + raw.topic, raw.value, key=raw.key, headers=list(raw.headers)
        )

    assert await eventually_async(lambda: _refused(at_work, request_id, 1), within=20) == [
        "signature_invalid"
    ]
    assert await at_work.service.case(request_id) == before


async def test_whoever_recovers_the_service_finds_the_vendors_topics_on_the_broker(at_work: AtWork) -> None:
    wrote = await vendor_topics(at_work.settings, writer="fulfillment")
    read = await vendor_topics(at_work.settings, reader="fulfillment")

    assert [one.name for one in wrote] == [f"dsar.directives.{NAME}"]
    assert [one.name for one in read] == [f"dsar.acknowledgements.{NAME}"]
    assert await vendor_topics(at_work.settings, writer="intake", reader="intake") == []


async def _told(at_work: AtWork, request_id: UUID) -> bool:
    case = await at_work.service.case(request_id)
    return case.directive_to(NAME) is not None


async def _refused(at_work: AtWork, request_id: UUID, number: int) -> Sequence[str]:
    found = await at_work.refusals(request_id)
    return found if len(found) >= number else ()


async def _read_again(settings: Settings) -> None:
    """Put the vendor's group back to the beginning."""
    group, topic = settings.namespace + NAME, f"{settings.namespace}dsar.directives.{NAME}"
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, group_id=group, enable_auto_commit=False
    )
    async with consumer:
        places = [TopicPartition(topic, number) for number in range(DIRECTIVES.partitions)]
        consumer.assign(places)
        await consumer.commit(dict.fromkeys(places, 0))
