"""The user's own servers, a checkout that only root may enter, and a broker whose jars cannot be had."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.local import stack
from deploy.local.stack import StackInfo

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Path]:
    """The home of a second stack, inside a folder that only its owner may enter."""
    checkout = tmp_path / "checkout"
    checkout.mkdir(mode=0o700)
    yield checkout / ".habeas"
    stack.reset(checkout / ".habeas")


@pytest.fixture
def no_jars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cache, no Maven repository, no network, no mvn."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    monkeypatch.setenv("HTTPS_PROXY", NOWHERE)
    monkeypatch.setattr("deploy.local.jar_download.shutil.which", lambda _name: None)


@pytest.mark.connected
def test_a_broker_of_the_user_s_own_is_used_and_not_started(
    running: StackInfo, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_KAFKA_BOOTSTRAP", running.kafka_bootstrap)

    found = stack.up(other)

    assert found.kafka_bootstrap == running.kafka_bootstrap
    assert found.broker == "own (HABEAS_KAFKA_BOOTSTRAP)"
    assert found.database_url != running.database_url
    kafka = next(one for one in stack.status(other).components if one.name == "kafka")
    assert (kafka.state, kafka.pid) == ("running", None)


@pytest.mark.connected
@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")
def test_root_in_a_private_checkout_keeps_the_data_outside_and_changes_no_folder(
    running: StackInfo, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_KAFKA_BOOTSTRAP", running.kafka_bootstrap)
    modes = [folder.stat().st_mode for folder in other.parents]

    stack.up(other)

    data = (other / "postgres").resolve()
    assert not data.is_relative_to(other.parent)
    assert (data.stat().st_mode & 0o777, data.stat().st_uid != 0) == (0o700, True)
    assert [folder.stat().st_mode for folder in other.parents] == modes
    stack.reset(other)
    assert not data.exists()


@pytest.mark.connected
@pytest.mark.usefixtures("no_jars")
def test_without_jars_auto_says_so_and_takes_the_light_broker(
    running: StackInfo, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_DATABASE_URL", running.database_url)
    told: list[str] = []

    found = stack.up(other, report=told.append)

    assert found.broker.endswith("(light)")
    assert "loses acknowledged records when it is killed" in told[-1]
    assert "no connection to the Maven repository" in told[-1]


@pytest.mark.usefixtures("no_jars")
def test_without_jars_kafka_fails_with_one_sentence_and_the_remedy(other: Path) -> None:
    result = CliRunner().invoke(app, ["stack", "up", "--broker", "kafka", "--home", str(other)])

    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert "could not be downloaded" in result.stderr
    assert "--broker light for a first look" in result.stderr


def test_an_own_broker_that_does_not_answer_is_named(other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_KAFKA_BOOTSTRAP", "127.0.0.1:9")

    with pytest.raises(stack.StackError, match=r"Nothing answers at 127\.0\.0\.1:9"):
        stack.up(other)


def test_a_wrong_java_setting_is_an_error_and_no_reason_for_another_broker(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_JAVA", "/nowhere/java")

    with pytest.raises(stack.StackError, match="HABEAS_JAVA names /nowhere/java"):
        stack.up(other)
