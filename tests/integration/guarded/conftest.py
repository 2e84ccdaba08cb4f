"""One guarded broker for all who try what it lets in."""

from collections.abc import Iterator

import pytest

from deploy.local.stack import StackInfo
from tests.support.guarded_broker import EVERYBODY, GuardedBroker, guarded_broker


@pytest.fixture(scope="package")
def guarded_kafka(servers: StackInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    """A broker that knows every principal, and as yet no topic and no right."""
    if "apache-kafka" not in servers.broker:
        pytest.skip("needs the jars of Apache Kafka; these tests run on " + servers.broker)
    with guarded_broker(tmp_path_factory.mktemp("guarded"), EVERYBODY) as found:
        yield found
