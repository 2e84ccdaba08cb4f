"""Rights at the broker, taken from whoever comes through the fault proxy: from another address of this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

SERVICES_COME_FROM = "127.0.0.2"
THE_TESTS_COME_FROM = "127.0.0.1"
EVERYBODY = "User:ANONYMOUS"
TOPIC, AS_NAMED, ALL, ALLOW = 2, 3, 2, 3


@asynccontextmanager
async def without_rights(bootstrap: str, topic: str) -> AsyncIterator[None]:
    """The services may neither read, write nor even see a topic, until the end of the block.

    The broker allows what no rule names; once there is a rule about a topic, it allows what a rule allows.
    """
    only_us = (TOPIC, topic, AS_NAMED, EVERYBODY, THE_TESTS_COME_FROM, ALL, ALLOW)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        made = await admin._send_request(CreateAclsRequest(*only_us))  # noqa: SLF001 - aiokafka knows the request, and has no method
        _raised(made.creation_responses[0])
        try:
            yield
        finally:
            gone = await admin._send_request(DeleteAclsRequest(*only_us))  # noqa: SLF001 - nor for this one
            _raised(gone.filter_responses[0])
    finally:
        await admin.close()


def _raised(answer: tuple[int, str | None]) -> None:
    if answer[0]:
        raise for_code(answer[0])(answer[1])
