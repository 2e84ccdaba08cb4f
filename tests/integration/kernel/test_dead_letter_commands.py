"""`habeas dead-letters` and `habeas resync`, as an operator types them, while a service runs."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.moments import moment
from deploy.dead_letters import CannotReplay
from shared.database import open_pool
from shared.events.envelope import Raw
from shared.events.message import CATALOGUE
from shared.keyfiles import KeyFiles
from shared.outbox import statements as outbox
from shared.private_files import read_private
from shared.vault import PostgresKeys, Vault
from tests.support.installation import Installation
from tests.support.machine import Machine, Upstream, request
from tests.support.store_worlds import PostgresWorld

pytestmark = pytest.mark.connected
ONE, TWO = request(1), request(2)


@pytest.fixture
async def machine(kernel: Installation, pool: asyncpg.Pool) -> AsyncIterator[Machine]:
    """A service that seals its letters with its own rights on the real vault."""
    url = read_private(kernel.databases.vault_url_file("verification")).decode()
    keys = await open_pool(url, application="habeas-test", size=2)
    vault = Vault(PostgresKeys(keys), KeyFiles(kernel.settings.keys).kek(), monotonic=time.monotonic)
    async with kernel.admin() as admin:
        yield Machine(PostgresWorld(pool, admin, "verification"), vault=vault)
    await keys.close()


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


class Operator:
    """Types commands; asyncio of theirs needs a thread of its own."""

    def __init__(self, kernel: Installation) -> None:
        self._environment = kernel.environment

    async def types(self, *words: str) -> Any:
        """What a command printed as JSON."""
        return json.loads(await self.reads(*words, "--json"))

    async def reads(self, *words: str) -> str:
        """What a command printed."""
        ended = await asyncio.to_thread(
            CliRunner().invoke, app, words, env={**self._environment, "HABEAS_ACTOR": "jdoe"}
        )
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        assert ended.exit_code == 0, ended.output
        return ended.stdout


@pytest.fixture
def operator(kernel: Installation) -> Operator:
    return Operator(kernel)


async def test_a_mended_record_is_replayed_and_what_waited_follows(
    machine: Machine, operator: Operator, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "a"), upstream.event(ONE, "poison"), upstream.event(ONE, "c"))
    (listed,) = await operator.types("dead-letters", "list", "--service", "verification")
    assert (listed["reason"], listed["request_id"]) == ("unhandled:Poison", str(ONE))
    assert "sealed" not in listed

    machine.domain.broken = False
    told = await operator.types("dead-letters", "replay", listed["id"])
    await machine.shell.drain_parked()

    assert told == {"letter": listed["id"], "request_id": str(ONE), "actor": "jdoe"}
    assert (await machine.case(ONE)).heard == ("a", "c", "poison")
    assert "dead-letter.replayed" in await machine.chain(ONE)
    assert await operator.types("dead-letters", "list") == []
    (done,) = await operator.types("dead-letters", "list", "--all")
    assert done["replayed_by"] == "jdoe"
    await machine.is_sound(ONE)


async def test_many_are_replayed_at_once_by_their_reason_and_the_others_stay(
    machine: Machine, operator: Operator, upstream: Upstream
) -> None:
    requests = [request(number) for number in range(10, 15)]
    for one in requests:
        await machine.hear(upstream.event(one, "poison"))
    await machine.hear(replace(upstream.event(ONE, "a"), value=b"{"))
    machine.domain.broken = False

    some = await operator.types("dead-letters", "replay", "--all", "--reason", "unhandled", "--limit", "2")
    rest = await operator.types("dead-letters", "replay", "--all", "--reason", "unhandled:Poison")
    none = await operator.types("dead-letters", "replay", "--all", "--reason", "unhand")
    await machine.shell.drain_parked()

    assert [one["replayed"] for one in (some, rest, none)] == [2, 3, 0]
    assert [(await machine.case(one)).heard for one in requests] == [("poison",)] * len(requests)
    (left,) = await operator.types("dead-letters", "list")
    assert left["reason"] == "invalid_body"


async def test_what_cannot_be_replayed_is_named_and_stops_no_other(
    machine: Machine, kernel: Installation, upstream: Upstream
) -> None:
    await machine.hear(replace(upstream.event(ONE, "a"), value=b"{"))
    await machine.hear(upstream.event(TWO, "poison"))
    machine.domain.broken = False

    words = ["dead-letters", "replay", "--all", "--service", "verification", "--json"]
    ended = await asyncio.to_thread(CliRunner().invoke, app, words, env=kernel.environment)

    told = json.loads(ended.stdout)
    assert (ended.exit_code, told["replayed"]) == (1, 1)
    assert [one["why"].partition(": ")[2][:12] for one in told["failed"]] == ["invalid_body"]


@pytest.mark.parametrize("words", [[], ["--all", str(ONE)], [str(ONE), "--limit", "3"]])
async def test_one_letter_or_all_has_to_be_said(words: list[str]) -> None:
    ended = await asyncio.to_thread(CliRunner().invoke, app, ["dead-letters", "replay", *words])

    assert ended.exit_code == 2


async def test_a_record_that_fails_again_is_an_open_letter_again(
    machine: Machine, operator: Operator, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "poison"))
    (listed,) = await operator.types("dead-letters", "list")

    await operator.types("dead-letters", "replay", listed["id"])
    await machine.shell.drain_parked()

    assert await machine.is_blocked(ONE)
    (again,) = await operator.types("dead-letters", "list")
    assert (again["id"], again["replayed_at"]) == (listed["id"], None)
    await machine.chain(ONE)


async def test_a_record_that_a_newer_version_can_read_is_replayed_in_its_place(
    machine: Machine, operator: Operator, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "dsar.request.withdrawn.v1"
    declared = CATALOGUE[name]
    first, second = upstream.event(ONE, "a"), upstream.event(ONE, "b")
    with monkeypatch.context() as older:
        older.delitem(CATALOGUE, name)
        assert await machine.hear(first) == ["dead"]
        (listed,) = await operator.types("dead-letters", "list")
        with pytest.raises(CannotReplay, match=r"can still not be read: unknown_type \(ce_type\)"):
            await operator.types("dead-letters", "replay", listed["id"])
    assert CATALOGUE[name] is declared
    assert await machine.hear(second) == ["parked"]

    for _ in range(2):
        await operator.types("dead-letters", "replay", listed["id"])
    await machine.shell.drain_parked()

    assert (await machine.case(ONE)).heard == ("a", "b")
    assert await machine.hear(first) == ["duplicate"]
    await machine.is_sound(ONE)


async def test_the_content_goes_into_a_private_file_and_nowhere_else(
    machine: Machine, operator: Operator, upstream: Upstream, tmp_path: Path
) -> None:
    bad = replace(upstream.event(ONE), value=b"{ somebody's name")
    await machine.hear(bad)
    (listed,) = await operator.types("dead-letters", "list")

    shown = await operator.types("dead-letters", "show", listed["id"], "--out", str(tmp_path / "record"))

    assert shown == listed
    assert (shown["topic"], shown["offset"], shown["field"]) == (bad.topic, bad.offset, "body")
    assert (tmp_path / "record").stat().st_mode & 0o777 == 0o600
    assert Raw.from_bytes((tmp_path / "record").read_bytes()).value == bad.value


async def test_people_are_told_of_letters_with_times_to_the_second_in_utc(
    machine: Machine, operator: Operator, upstream: Upstream
) -> None:
    await machine.hear(replace(upstream.event(ONE), value=b"{ somebody's name"))
    (listed,) = await operator.types("dead-letters", "list")
    at = moment(listed["at"])

    assert f"{listed['id']}  {at}  verification" in await operator.reads("dead-letters", "list")
    assert f"at           {at}\n" in await operator.reads("dead-letters", "show", listed["id"])


async def test_an_unknown_letter_is_said_so(machine: Machine, operator: Operator) -> None:
    await machine.hear()

    with pytest.raises(CannotReplay, match="there is no dead letter"):
        await operator.types("dead-letters", "replay", str(ONE))


async def test_resync_sends_a_request_s_records_again_and_says_who_asked(
    machine: Machine, operator: Operator, upstream: Upstream, pool: asyncpg.Pool
) -> None:
    await machine.hear(upstream.event(ONE, "a"), upstream.event(ONE, "b"), upstream.event(TWO, "c"))
    await pool.execute("UPDATE outbox SET published_at = now() WHERE request_id IS NOT NULL")
    await pool.execute("UPDATE outbox SET published_at = NULL, blocked_at = now() WHERE sequence = 2")

    told = await operator.types("resync", str(ONE))

    assert {one["service"]: (one["records"], one["unblocked"]) for one in told} == {
        "intake": (0, 0),
        "verification": (1, 1),
        "fulfillment": (0, 0),
        "deadline": (0, 0),
    }
    assert await pool.fetchval(outbox.BLOCKED) == 0
    waiting = await pool.fetch("SELECT request_id FROM outbox WHERE published_at IS NULL")
    assert [row["request_id"] for row in waiting] == [ONE, ONE]
    assert (await machine.chain(ONE))[-1] == "request.resynced"


async def test_resync_of_a_topic_sends_its_records_of_every_request_again_and_no_others(
    machine: Machine, operator: Operator, upstream: Upstream, pool: asyncpg.Pool
) -> None:
    await machine.hear(upstream.event(ONE, "a"), upstream.event(ONE, "b"), upstream.event(TWO, "c"))
    topic = await pool.fetchval("SELECT topic FROM outbox WHERE request_id = $1 LIMIT 1", ONE)
    await pool.execute("UPDATE outbox SET published_at = now() WHERE request_id IS NOT NULL")
    await pool.execute("UPDATE outbox SET topic = 'dsar.closed' WHERE request_id = $1 AND sequence = 2", ONE)

    told = await operator.types("resync", "--topic", topic)

    assert told == [{"service": "verification", "requests": 2, "records": 2}]
    waiting = await pool.fetch("SELECT request_id, topic FROM outbox WHERE published_at IS NULL")
    assert {tuple(row) for row in waiting} == {(ONE, topic), (TWO, topic)}
    for one in (ONE, TWO):
        assert (await machine.chain(one))[-1] == "request.resynced"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give the id of a request, or --topic"),
        ((str(ONE), "--topic", "dsar.closed"), "give the id of a request, or --topic"),
        (("--topic", "dsar.nothing"), "'dsar.nothing' is none of"),
        (("--topic", "dsar.submissions"), "'dsar.submissions' is none of"),
    ],
)
def test_resync_says_what_it_needs(words: tuple[str, ...], said: str) -> None:
    ended = CliRunner().invoke(app, ["resync", *words], env={"COLUMNS": "400"})

    assert ended.exit_code == 2
    assert said in ended.output


async def test_resync_of_a_topic_that_no_outbox_knows_fails(operator: Operator) -> None:
    with pytest.raises(AssertionError, match="no outbox holds a record"):
        await operator.types("resync", "--topic", "dsar.extended")


async def test_resync_of_who_is_suppressed_tells_of_each_as_it_stands(
    operator: Operator, kernel: Installation
) -> None:
    with pytest.raises(AssertionError, match="nobody is suppressed"):
        await operator.types("resync", "--topic", "dsar.suppressed")
    async with kernel.admin() as admin:
        await admin.execute(
            "INSERT INTO fulfillment.suppressed (hash, rights, business, grounds, since, waits, version)"
            " VALUES ('\\x0001aa', 'delete', 'cascadia', '{}', now(), '{}', 7)"
        )

    told = await operator.types("resync", "--topic", "dsar.suppressed")

    assert told == [{"service": "fulfillment", "hashes": 1, "records": 1}]
    async with kernel.admin() as admin:
        sent = await admin.fetch("SELECT topic, key FROM fulfillment.outbox WHERE published_at IS NULL")
    assert [tuple(row) for row in sent] == [("dsar.suppressed", "1:aa")]


async def test_resync_of_a_request_that_nobody_knows_fails(operator: Operator) -> None:
    with pytest.raises(AssertionError):
        await operator.types("resync", str(ONE))
