"""Our own services and tools at a broker that denies by default: SCRAM over TLS, each as itself, and no right more."""

import asyncio
import json
import ssl
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.access import grants
from deploy.demo.accounts import IdentityProvider
from deploy.demo.processes import Services
from deploy.topics import apply
from shared.broker import ADMIN, CLI, broker_of, let_go, why_away
from shared.clock import SystemClock
from shared.database import NeedsMending
from shared.events.topics import CLOSED, RECEIVED, SERVICES, TOPICS
from shared.messaging import Subscription
from shared.private_files import KeyFileRefused, write_private
from shared.settings import Settings
from tests.support.guarded_broker import GuardedBroker
from tests.support.installation import Installation, Installations

pytestmark = pytest.mark.connected
NAMESPACE = "guarded."
PERSON = {
    "right": "delete",
    "residency": "US-CA",
    "requester": "subject",
    "name": "Ruth Okafor",
    "email": "ruth@guarded.example.com",
    "customer_id": "g-1",
    "channel": "web",
}


@dataclass(frozen=True)
class Guarded:
    """An installation whose Kafka is the guarded broker."""

    broker: GuardedBroker
    settings: Settings
    installation: Installation

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        return {
            **self.installation.environment,
            "HABEAS_NAMESPACE": NAMESPACE,
            "HABEAS_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "HABEAS_KAFKA_SECURITY": "sasl",
            "HABEAS_KAFKA_AUTHORITY": str(self.broker.authority),
            "HABEAS_PORT": "0",
        }


@pytest.fixture(scope="module")
async def guarded(guarded_kafka: GuardedBroker, installations: Installations) -> Guarded:
    """Topics made by our own tool, rights as declared, a login file for each principal."""
    installation = await installations.make(topics=())
    more = {
        "namespace": NAMESPACE,
        "kafka_bootstrap": guarded_kafka.bootstrap,
        "kafka_security": "sasl",
        "kafka_authority": guarded_kafka.authority,
    }
    settings = installation.settings.model_copy(update=more)
    for principal in (*SERVICES, CLI, ADMIN):
        written(settings, principal, f"{principal}:{guarded_kafka.passwords[principal]}")
    await apply(settings, [replace(topic, partitions=1) for topic in TOPICS])
    await guarded_kafka.grant(grants((), namespace=NAMESPACE))
    return Guarded(guarded_kafka, settings, installation)


def written(settings: Settings, principal: str, login: str) -> Path:
    """A login file as an administrator puts it there."""
    path = settings.kafka_login_file(principal)
    write_private(path, login.encode())
    return path


async def test_a_request_lives_its_whole_life_under_no_more_than_the_declared_rights(
    guarded: Guarded,
) -> None:
    settings = guarded.settings
    accounts = IdentityProvider(SystemClock())
    accounts.publish(settings.home / "issuers", settings.business)
    services = Services(settings.home, guarded.environment, ("-m", "bench.service"))
    try:
        await asyncio.to_thread(services.start)
        asked = {**PERSON, "assertion": accounts.assertion(PERSON["email"], subject=PERSON["customer_id"])}
        async with httpx2.AsyncClient(timeout=30) as http:
            answer = await http.post(
                f"{services.url('intake')}/requests",
                json=asked,
                headers={"Idempotency-Key": "guarded-broker-0001"},
            )
        assert answer.status_code == httpx2.codes.CREATED, answer.text

        closed = await first_closed(settings)
    finally:
        await asyncio.to_thread(services.stop)

    assert closed["resolution"] == "complete"


async def first_closed(settings: Settings) -> dict[str, str]:
    """What the command line's principal reads of the first closing."""
    consumer = AIOKafkaConsumer(
        NAMESPACE + CLOSED.name, **broker_of(settings, CLI).client(), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(60):
            record = await consumer.getone()
    finally:
        await let_go(consumer.stop())
    found: dict[str, str] = json.loads(record.value)
    return found


async def test_who_is_refused_is_told_what_to_mend_and_no_password(guarded: Guarded) -> None:
    right = broker_of(guarded.settings, "verification")
    assert right.login is not None
    guessed = replace(right, login=replace(right.login, password="guessed"))
    untrusting = replace(right, trust=ssl.create_default_context())
    nobody = replace(right, bootstrap="127.0.0.1:1")

    said = [str(await why_away(one)) for one in (guessed, untrusting, nobody)]

    assert "verification.kafka-login" in said[0]
    assert "guessed" not in said[0]
    assert "HABEAS_KAFKA_AUTHORITY" in said[1]
    assert said[2] == "the broker is away"


async def test_a_service_that_is_refused_waits_and_says_why(guarded: Guarded) -> None:
    right = broker_of(guarded.settings, "verification")
    assert right.login is not None
    guessed = replace(right, login=replace(right.login, password="guessed"))
    subscription = Subscription(guessed, service="verification", topics=[RECEIVED], namespace=NAMESPACE)
    subscription.feed(nothing)

    with pytest.raises(NeedsMending, match=r"verification\.kafka-login"):
        await subscription.start()


async def nothing(_records: object) -> None:
    """Handle a batch."""


def test_a_login_that_is_missing_open_to_others_or_not_of_its_form_is_refused_with_the_remedy(
    guarded: Guarded,
) -> None:
    settings = guarded.settings.model_copy(update={"home": guarded.settings.home / "other"})
    settings.secrets.mkdir(parents=True)

    with pytest.raises(KeyFileRefused, match=r"intake\.kafka-login is missing.*user:password"):
        broker_of(settings, "intake")
    path = written(settings, "intake", "no colon")
    with pytest.raises(KeyFileRefused, match="does not hold user:password"):
        broker_of(settings, "intake")
    path.chmod(0o644)
    with pytest.raises(KeyFileRefused):
        broker_of(settings, "intake")


def test_an_authority_that_is_no_certificate_is_refused_with_its_name(
    guarded: Guarded, tmp_path: Path
) -> None:
    nonsense = tmp_path / "authority.pem"
    nonsense.write_text("no certificate")
    settings = guarded.settings.model_copy(update={"kafka_authority": nonsense, "kafka_security": "tls"})

    with pytest.raises(KeyFileRefused, match=r"authority\.pem is no PEM file.*HABEAS_KAFKA_AUTHORITY"):
        broker_of(settings, "intake")
