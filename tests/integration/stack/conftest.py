"""One stack for the whole folder, started once; tests that need another state start it again themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.stack import StackInfo


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("stack") / ".habeas"
    yield folder
    stack.reset(folder)


@pytest.fixture
def running(home: Path, monkeypatch: pytest.MonkeyPatch) -> StackInfo:
    """The stack, whatever the test before did to it."""
    monkeypatch.delenv("HABEAS_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.delenv("HABEAS_DATABASE_URL", raising=False)
    return stack.up(home)


@pytest.fixture
def real_kafka(running: StackInfo) -> StackInfo:
    if not running.broker.startswith("apache-kafka"):
        pytest.skip("needs the real Apache Kafka; this stack runs " + running.broker)
    return running
