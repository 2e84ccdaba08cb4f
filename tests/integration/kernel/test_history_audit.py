"""`habeas evidence anchor|audit`: whoever changes history in the database is found, and what they changed is named."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from deploy.chains.anchoring import Anchoring, Keys, anchor_now
from deploy.chains.checking import Audit
from deploy.chains.places import Folder
from deploy.chains.scratch import Scratch
from deploy.cli.main import app
from shared import audit
from shared.audit import GENESIS, AuditEntry
from shared.keyfiles import KeyFiles, rotate_key
from tests.support.installation import Installation
from tests.support.machine import NOON, Machine, Upstream, request
from tests.support.store_worlds import PostgresWorld

pytestmark = [pytest.mark.connected, pytest.mark.usefixtures("machine")]
SWAP_TWO_ROWS = """
UPDATE audit AS a SET at = b.at, kind = b.kind, facts = b.facts, prev = b.prev, hash = b.hash
FROM audit AS b WHERE a.request_id = $1 AND b.request_id = $1 AND a.seq IN (2, 3) AND b.seq = 5 - a.seq
"""
ONE, TWO = request(1), request(2)
SERVICE = "verification"


@pytest.fixture
async def admin(kernel: Installation) -> AsyncIterator[asyncpg.Connection]:
    async with kernel.admin() as connection:
        await connection.execute(f"SET search_path TO {SERVICE}")
        yield connection


@pytest.fixture
async def machine(pool: asyncpg.Pool, admin: asyncpg.Connection) -> Machine:
    """A service that has heard three things about one request, and one about another."""
    made = Machine(PostgresWorld(pool, admin, SERVICE))
    upstream = Upstream()
    await made.hear(*(upstream.event(ONE, word) for word in "abc"), upstream.event(TWO, "x"))
    return made


class Auditor:
    """Types commands against anchors of its own."""

    def __init__(self, kernel: Installation, anchors: Path) -> None:
        self._environment = {**kernel.environment, "HABEAS_ANCHORS": str(anchors)}
        self.anchors = anchors

    async def types(self, *words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["evidence", *words], env=self._environment)

    async def anchor(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads((await self.types("anchor", "--json")).stdout)
        return made

    async def finds(self, *more: str) -> list[tuple[str, str, int | None, str]]:
        """What is not as it was written, whether told by the exit code or in words."""
        ended = await self.types("audit", "--no-events", "--json", *more)
        report = json.loads(ended.stdout)
        assert ended.exit_code == (1 if report["findings"] else 0)
        assert report["sound"] is not bool(report["findings"])
        return [(one["service"], one["request_id"], one["row"], one["what"]) for one in report["findings"]]


@pytest.fixture
def auditor(kernel: Installation, tmp_path: Path) -> Auditor:
    return Auditor(kernel, tmp_path / "anchors")


async def last_row(admin: asyncpg.Connection) -> int:
    found: int = await admin.fetchval("SELECT max(seq) FROM audit WHERE request_id = $1", ONE)
    return found


async def write_anew(admin: asyncpg.Connection) -> None:
    """What somebody does who owns the database: another history, without a break, and the case to go with it."""
    rows = await admin.fetch("SELECT * FROM audit WHERE request_id = $1 ORDER BY seq", ONE)
    head = GENESIS
    for row in rows:
        entry = AuditEntry(ONE, row["at"], row["kind"], {"forged": True})
        made = audit.append(head, entry)
        await admin.execute(
            "UPDATE audit SET facts = $3, prev = $4, hash = $5 WHERE request_id = $1 AND seq = $2",
            ONE, made.seq, json.dumps(made.facts), made.prev, made.hash,
        )  # fmt: skip
        head = made.head
    await admin.execute("UPDATE cases SET audit_head = $2 WHERE request_id = $1", ONE, head.hash)


async def test_histories_that_nobody_touched_are_sound(auditor: Auditor) -> None:
    made = await auditor.anchor()

    assert (made["number"], made["histories"]) == (1, 2)
    assert await auditor.finds() == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE audit SET kind = 'other' WHERE request_id = $1 AND seq = 2", (2, "changed after")),
        (
            "UPDATE audit SET at = at - interval '1 day' WHERE request_id = $1 AND seq = 1",
            (1, "changed after"),
        ),
        ("DELETE FROM audit WHERE request_id = $1 AND seq = 2", (3, "row 2 is missing")),
        ("DELETE FROM audit WHERE request_id = $1", (1, "all are gone")),
        ("UPDATE audit SET seq = seq + 1000 WHERE request_id = $1 AND seq = 1", (2, "row 1 is missing")),
        (SWAP_TWO_ROWS, (2, "does not follow from the one before it")),
    ],
)
async def test_a_row_that_is_changed_removed_or_moved_is_named(
    auditor: Auditor, admin: asyncpg.Connection, statement: str, expected: tuple[int, str]
) -> None:
    await admin.execute(statement, ONE)

    [found] = await auditor.finds()

    row, what = expected
    assert found[:3] == (SERVICE, str(ONE), row)
    assert what in found[3]


async def test_rows_cut_off_at_the_end_are_missed_by_their_case(
    auditor: Auditor, admin: asyncpg.Connection
) -> None:
    last = await last_row(admin)
    await admin.execute("DELETE FROM audit WHERE request_id = $1 AND seq = $2", ONE, last)

    [found] = await auditor.finds()

    assert found[2] == last - 1
    assert f"the case was last changed at row {last}" in found[3]


async def test_a_history_that_is_written_anew_as_a_whole_shows_against_an_anchor_alone(
    auditor: Auditor, admin: asyncpg.Connection
) -> None:
    last = await last_row(admin)
    made = await auditor.anchor()

    await write_anew(admin)

    [found] = await auditor.finds()
    assert found[:3] == (SERVICE, str(ONE), last)
    assert made["anchor"] in found[3]


async def test_without_an_anchor_it_shows_against_the_events(
    auditor: Auditor, admin: asyncpg.Connection
) -> None:
    head = await admin.fetchval("SELECT audit_head FROM cases WHERE request_id = $1", ONE)
    await write_anew(admin)
    assert await auditor.finds() == []

    scratch = Scratch()
    scratch.add_stated(SERVICE, ONE, head)
    found = [one async for one in Audit(scratch).findings(admin)]
    scratch.close()

    assert [(one.request_id, one.row) for one in found] == [(ONE, None)]
    assert "written anew" in found[0].what


async def test_a_request_that_vanishes_altogether_is_missed_by_the_anchor(
    auditor: Auditor, admin: asyncpg.Connection
) -> None:
    await auditor.anchor()

    await admin.execute("DELETE FROM audit WHERE request_id = $1", ONE)
    await admin.execute("DELETE FROM cases WHERE request_id = $1", ONE)

    [found] = await auditor.finds()
    assert found[1] == str(ONE)
    assert "gone since anchor-" in found[3]


@pytest.mark.parametrize("harm", ["changed", "unsigned", "removed"])
async def test_an_anchor_that_somebody_touched_proves_nothing_and_says_so(
    auditor: Auditor, harm: str
) -> None:
    first, second, third = [auditor.anchors / (await auditor.anchor())["anchor"] for _ in range(3)]
    if harm == "changed":
        second.write_bytes(first.read_bytes())
    elif harm == "unsigned":
        third.with_name(third.name.replace(".jsonl.gz", ".jws")).unlink()
    else:
        second.unlink()

    ended = await auditor.types("audit", "--no-events")

    assert ended.exit_code == 2
    assert {"changed": second, "unsigned": third, "removed": third}[harm].name in ended.stderr


async def test_what_was_written_after_the_anchor_is_no_finding(machine: Machine, auditor: Auditor) -> None:
    await auditor.anchor()

    upstream = Upstream()
    await machine.hear(upstream.event(request(3), "later"))

    assert machine.clock.now() == NOON
    assert await auditor.finds() == []


async def test_an_anchor_names_only_what_changed_since_the_last_one(
    machine: Machine, auditor: Auditor
) -> None:
    await auditor.anchor()
    assert (await auditor.anchor())["histories"] == 0

    await machine.hear(Upstream().event(request(3), "later"))

    made = await auditor.anchor()
    assert (made["number"], made["histories"]) == (3, 1)
    assert await auditor.finds() == []


async def test_more_histories_than_are_held_in_memory_take_several_anchors(
    machine: Machine, auditor: Auditor, admin: asyncpg.Connection, kernel: Installation
) -> None:
    await machine.hear(*(Upstream().event(request(number), "x") for number in range(3, 6)))
    files = KeyFiles(kernel.settings.keys)
    seen: list[int] = []
    anchoring = Anchoring(
        [Folder(auditor.anchors)],
        Keys(files.evidence(), files.evidence_public()),
        NOON,
        largest=2,
        progress=seen.append,
    )

    last, count = await anchor_now(admin, anchoring)

    assert (last.number, count, seen) == (3, 5, [1, 2, 3, 4, 5])
    assert len(list(auditor.anchors.glob("*.jsonl.gz"))) == 3
    assert await auditor.finds() == []
    assert (await auditor.anchor())["histories"] == 0
    await write_anew(admin)
    assert [what for _, _, _, what in await auditor.finds()] != []


async def test_the_newest_anchors_cannot_be_removed_unseen(
    auditor: Auditor, admin: asyncpg.Connection
) -> None:
    _, *newest = [auditor.anchors / (await auditor.anchor())["anchor"] for _ in range(3)]
    await write_anew(admin)
    for one in newest:
        one.unlink()

    found = await auditor.finds()

    gone = [what for service, _, _, what in found if service == "anchors"]
    assert gone == [f"{one.name} was made and is not in {auditor.anchors}: it was removed" for one in newest]


async def test_where_their_entries_are_removed_too_the_age_of_the_newest_tells(
    auditor: Auditor, admin: asyncpg.Connection
) -> None:
    made = auditor.anchors / (await auditor.anchor())["anchor"]
    made.unlink()
    await admin.execute("DELETE FROM evidence.anchors")

    assert await auditor.finds() == []
    [found] = await auditor.finds("--within-hours", "36")
    assert "no anchor was made at all, or the newest were removed" in found[3]


async def test_a_place_that_is_added_later_gets_every_anchor_and_tells_what_the_other_lacks(
    auditor: Auditor, tmp_path: Path
) -> None:
    first = await auditor.anchor()
    both = ("--anchors", str(auditor.anchors), "--anchors", str(tmp_path / "second"))
    second = json.loads((await auditor.types("anchor", "--json", *both)).stdout)
    assert {one.name for one in (tmp_path / "second").iterdir()} == {
        one.name for one in auditor.anchors.iterdir()
    }
    assert await auditor.finds(*both) == []

    (tmp_path / "second" / second["anchor"]).unlink()

    [found] = await auditor.finds(*both)
    assert second["anchor"] in found[3]
    assert str(tmp_path / "second") in found[3]
    refused = await auditor.types("anchor", *both)
    assert refused.exit_code == 2
    assert first["anchor"] not in refused.stderr
    assert second["anchor"] in refused.stderr


async def test_anchors_of_before_and_after_a_rotation_count_and_a_key_that_was_removed_is_named(
    auditor: Auditor, kernel: Installation
) -> None:
    keys = kernel.settings.keys
    before = KeyFiles(keys).evidence().primary.kid
    await auditor.anchor()
    rotate_key(keys, "evidence")
    await auditor.anchor()
    assert await auditor.finds() == []

    public = keys / "public" / "evidence.jwks.json"
    kept = [one for one in json.loads(public.read_text())["keys"] if one["kid"] != before]
    public.write_text(json.dumps({"keys": kept}))

    ended = await auditor.types("audit", "--no-events")
    assert ended.exit_code == 2
    assert before in ended.stderr
