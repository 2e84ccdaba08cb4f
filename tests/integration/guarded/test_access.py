"""Default deny on the real broker: everybody can do what they must, and every other pair is tried and refused."""

import ssl

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from deploy.access import Grant, grants
from shared.events.topics import FAMILIES, SERVICES, TOPICS
from tests.support.guarded_broker import ADMIN, DENIED, EVERYBODY, VENDORS, GuardedBroker, Tries

pytestmark = pytest.mark.connected
NAMES = [*(topic.name for topic in TOPICS), *(topic.of(one).name for topic in FAMILIES for one in VENDORS)]
GROUPS = [*(f"habeas.{one}" for one in SERVICES), *VENDORS, *(f"{one}.second" for one in VENDORS)]
MAY = set(grants(VENDORS))
LET_IN = {16, 25}
"""The broker's words for: ask another broker, no such member; both come after the right was found."""


@pytest.fixture(scope="module")
async def guarded(guarded_kafka: GuardedBroker) -> GuardedBroker:
    """A broker with every topic, every principal, and the declared rights."""
    admin = AIOKafkaAdminClient(**guarded_kafka.login(ADMIN))
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in NAMES])
    await admin.close()
    await guarded_kafka.grant(MAY)
    return guarded_kafka


@pytest.mark.parametrize("principal", EVERYBODY)
async def test_a_principal_can_do_what_is_declared_and_nothing_else(
    guarded: GuardedBroker, principal: str
) -> None:
    async with Tries(guarded, principal) as tries:
        wrote, read, joined = await tries.write(NAMES), await tries.read(NAMES), await tries.join(GROUPS)

    for name in NAMES:
        assert wrote[name] in ({0} if Grant(principal, "write", "topic", name) in MAY else DENIED), name
        assert read[name] in ({0} if Grant(principal, "read", "topic", name) in MAY else DENIED), name
    for group in GROUPS:
        mine = any(_covers(one, group) for one in MAY if one.principal == principal)
        assert joined[group] in (LET_IN if mine else DENIED), group


def _covers(one: Grant, group: str) -> bool:
    """By the rules of Kafka's own patterns."""
    return one.resource == "group" and (group.startswith(one.name) if one.prefixed else group == one.name)


def test_every_topic_that_is_declared_is_tried() -> None:
    """What is declared later is in the matrix by itself; what a family stands for is tried for each vendor."""
    assert {topic.name for topic in TOPICS} < set(NAMES)
    assert "dsar.suppressed" in NAMES
    assert len(NAMES) == len(TOPICS) + len(FAMILIES) * len(VENDORS)


def test_rights_follow_who_writes_and_reads() -> None:
    """A few by hand, so that a mistake in the declarations is not proved right by itself."""
    told = {(one.principal, one.operation, one.name) for one in MAY}

    assert {(who, "write", "dsar.submissions") for who in EVERYBODY} & told == {
        ("upstream", "write", "dsar.submissions")
    }
    assert {one for one in told if one[0] == "upstream"} == {("upstream", "write", "dsar.submissions")}
    assert {one for one in told if one[0] == "evergreen-mail"} == {
        ("evergreen-mail", "read", "dsar.directives.evergreen-mail"),
        ("evergreen-mail", "write", "dsar.acknowledgements.evergreen-mail"),
        ("evergreen-mail", "read", "evergreen-mail"),
        ("evergreen-mail", "read", "evergreen-mail."),
    }
    groups = {one.principal for one in MAY if _covers(one, "evergreen-mail")}
    assert groups == {"evergreen-mail"}
    assert [who for who in EVERYBODY if (who, "write", "dsar.fulfilled") in told] == ["fulfillment"]
    assert [who for who in EVERYBODY if (who, "read", "dsar.directives.evergreen-mail") in told] == [
        "evergreen-mail"
    ]
    assert [who for who in EVERYBODY if (who, "read", "dsar.commands.deadline") in told] == ["deadline"]


async def test_nobody_may_change_topics_or_rights(guarded: GuardedBroker) -> None:
    for principal in EVERYBODY:
        admin = AIOKafkaAdminClient(**guarded.login(principal))
        await admin.start()
        try:
            made = await admin.create_topics([NewTopic(f"dsar.{principal}.more", 1, 1)])
            gone = await admin.delete_topics(["dsar.received"])
            assert {made.topic_errors[0][1], gone.topic_error_codes[0][1]} <= DENIED, principal
        finally:
            await admin.close()
        with pytest.raises(AssertionError):
            await guarded.grant([Grant(principal, "read", "topic", "dsar.received")], by=principal)


async def test_a_wrong_password_and_a_strange_authority_are_let_in_nowhere(guarded: GuardedBroker) -> None:
    wrong = {**guarded.login("intake"), "sasl_plain_password": "guessed"}
    unknown = {**guarded.login("intake"), "ssl_context": ssl.create_default_context()}
    plain = {"bootstrap_servers": guarded.bootstrap, "request_timeout_ms": 3000}

    for login in (wrong, unknown, plain):
        admin = AIOKafkaAdminClient(**login)
        with pytest.raises(KafkaError):
            await admin.start()
        await admin.close()


async def test_the_rights_are_enough_for_a_real_writer_and_a_real_reader(guarded: GuardedBroker) -> None:
    """Idempotent writing and reading in a group ask for more than one right each."""
    topic = "dsar.directives.evergreen-mail"
    login = guarded.login("evergreen-mail")
    async with AIOKafkaProducer(
        **guarded.login("fulfillment"), acks="all", enable_idempotence=True
    ) as producer:
        sent = await producer.send_and_wait(topic, b"for the reader", key=b"1")

    reader = AIOKafkaConsumer(topic, group_id="evergreen-mail", auto_offset_reset="earliest", **login)
    async with reader:
        async for record in reader:
            if record.offset == sent.offset:
                break
        await reader.commit()

    assert record.value == b"for the reader"
