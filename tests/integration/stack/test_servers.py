"""The real servers: they answer, keep what they acknowledged, and are found again."""

import asyncio
import json
import os
import signal
import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import asyncpg
import pytest
from aiokafka.conn import create_conn
from aiokafka.protocol.metadata import MetadataRequest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.local import stack
from deploy.local.stack import StackInfo, StackStatus
from tests.support.eventually import eventually
from tests.support.topics import consume, make_topic, produce

pytestmark = pytest.mark.connected


def pids(found: StackStatus) -> dict[str, int | None]:
    return {component.name: component.pid for component in found.components}


def pid_of(home: Path, name: str) -> int:
    pid = pids(stack.status(home))[name]
    assert pid is not None
    return pid


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_postgresql_answers_and_keeps_its_durability_on(running: StackInfo) -> None:
    url = running.database_url

    assert str(await ask(url, "SHOW server_version")).startswith("18.")
    assert await ask(url, "SHOW fsync") == "on"
    assert await ask(url, "SHOW synchronous_commit") == "on"
    assert await ask(url, "SHOW password_encryption") == "scram-sha-256"


async def test_postgresql_refuses_a_wrong_password(running: StackInfo) -> None:
    wrong = running.database_url.replace("://postgres:", "://postgres:not-")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(wrong, "SELECT 1")


async def test_a_record_acknowledged_by_all_is_read_back(running: StackInfo) -> None:
    await make_topic(running.kafka_bootstrap, "read-back")

    await produce(running.kafka_bootstrap, "read-back", b"one", b"two")

    assert await consume(running.kafka_bootstrap, "read-back", 2) == [b"one", b"two"]


def test_up_on_a_running_stack_changes_nothing(home: Path, running: StackInfo) -> None:
    before = stack.status(home)

    assert stack.up(home) == running
    assert stack.status(home) == before
    assert before.running


async def test_data_and_ports_survive_a_stop_and_a_start(home: Path, running: StackInfo) -> None:
    await make_topic(running.kafka_bootstrap, "survivor")
    await produce(running.kafka_bootstrap, "survivor", b"still here")
    await ask(running.database_url, "CREATE TABLE survivor AS SELECT 42 AS answer")

    stack.down(home)
    assert [component.state for component in stack.status(home).components] == ["stopped"] * 3
    again = stack.up(home)

    assert again == running
    assert await ask(again.database_url, "SELECT answer FROM survivor") == 42
    if again.broker.startswith("apache-kafka"):
        assert await consume(again.kafka_bootstrap, "survivor", 1) == [b"still here"]


@pytest.mark.durable
async def test_a_killed_broker_is_seen_and_keeps_what_it_acknowledged(
    home: Path, real_kafka: StackInfo
) -> None:
    await make_topic(real_kafka.kafka_bootstrap, "acknowledged")
    await produce(real_kafka.kafka_bootstrap, "acknowledged", b"kept")

    os.kill(pid_of(home, "kafka"), signal.SIGKILL)
    eventually(lambda: {one.name: one.state for one in stack.status(home).components}["kafka"] == "stale")
    with pytest.raises(stack.StackError, match=r"does not run \(kafka\); run `habeas stack up`"):
        stack.info(home)
    again = stack.up(home)

    assert again.kafka_bootstrap == real_kafka.kafka_bootstrap
    assert await consume(again.kafka_bootstrap, "acknowledged", 1) == [b"kept"]


async def test_a_killed_postgresql_starts_again_at_once_with_what_it_committed(
    home: Path, running: StackInfo
) -> None:
    connection = await asyncpg.connect(running.database_url)
    await connection.execute("CREATE TABLE committed AS SELECT 7 AS answer")

    os.kill(pid_of(home, "postgres"), signal.SIGKILL)
    again = await asyncio.to_thread(stack.up, home)

    assert await ask(again.database_url, "SELECT answer FROM committed") == 7
    connection.terminate()


@pytest.mark.durable
async def test_a_taken_port_is_given_up_and_a_proxy_s_port_is_advertised(
    home: Path, real_kafka: StackInfo
) -> None:
    stack.down(home)
    told: list[str] = []
    with socket.socket() as proxy, socket.socket() as thief:
        proxy.bind(("127.0.0.1", 0))
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", real_kafka.smtp_port))
        thief.listen()
        advertised = proxy.getsockname()[1]
        moved = stack.up(home, kafka_proxy_port=advertised, report=told.append)

    assert moved.smtp_port != real_kafka.smtp_port
    (sentence,) = told
    assert sentence.startswith(f"Port {real_kafka.smtp_port}, which mail had before, is taken")
    assert sentence.endswith(f"it gets {moved.smtp_port} instead.")
    assert moved.kafka_bootstrap == real_kafka.kafka_bootstrap
    (target,) = moved.kafka_proxied
    assert await advertised_by(target) == [("127.0.0.1", advertised)]
    with pytest.raises(stack.StackError, match="run `habeas stack down`, then `habeas stack up`"):
        stack.up(home, kafka_proxy_port=advertised + 1)


async def advertised_by(address: str) -> list[tuple[str, int]]:
    host, _, port = address.partition(":")
    connection = await create_conn(host, int(port))
    try:
        answer = await connection.send(MetadataRequest([]))
        return [(broker[1], broker[2]) for broker in answer.brokers]
    finally:
        connection.close()


def test_a_mail_is_kept_as_one_file_even_when_it_comes_twice(running: StackInfo) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "desk@example.com", "pat@example.com", "Received"
    mail["Message-ID"] = "<one@example.com>"
    mail.set_content("We have it.")

    with smtplib.SMTP(running.smtp_host, running.smtp_port, timeout=10) as server:
        server.send_message(mail)
        server.send_message(mail)

    first, second = sorted(running.mail_dir.glob("*.eml"))
    assert first.name.rpartition("-")[2] == second.name.rpartition("-")[2]
    assert "We have it." in first.read_text()
    assert "Delivered-To: pat@example.com" in first.read_text()
    assert first.stat().st_mode & 0o777 == 0o600


def test_secrets_are_readable_by_their_owner_alone(home: Path, running: StackInfo) -> None:
    assert running.home == home
    for name in ("stack.json", "postgres.password"):
        assert (home / name).stat().st_mode & 0o777 == 0o600
    assert (home / "mail").stat().st_mode & 0o777 == 0o700


def test_the_command_line_says_where_everything_is_and_never_a_password(
    home: Path, running: StackInfo
) -> None:
    run = CliRunner().invoke
    password = (home / "postgres.password").read_text().strip()

    text = run(app, ["stack", "up", "--home", str(home)])
    facts = json.loads(run(app, ["stack", "status", "--home", str(home), "--json"]).stdout)
    logs = run(app, ["stack", "logs", "postgres", "--home", str(home)])

    assert running.kafka_bootstrap in text.stdout
    assert password not in text.output + logs.output
    assert facts["running"] is True
    assert "ready to accept connections" in logs.stdout
