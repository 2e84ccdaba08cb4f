"""Who somebody is stands in sealed fields and in their mail, and nowhere else; a destroyed key takes it away."""

from base64 import b64encode
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from shared.events.fulfillment import FindingAdded, HoldPlaced, HoldReleased
from shared.hosting import open_resources
from shared.telemetry.spans import KINDS
from shared.vault import KeyDestroyed, Vault
from tests.support import identities
from tests.support.canaries import Canaries
from tests.support.contents import everything_in
from tests.support.eventually import eventually_async
from tests.support.leaks import leaks, server_files, topics
from tests.support.proven import certified
from tests.support.walked import Walked

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]

# What every name, address and number of the marked people has in common: the servers wrote a lot.
STEMS = Canaries({str(number): stem for number, stem in enumerate(identities.STEMS)})
YEARS_PASS = timedelta(days=800)
# Where only a hold, a look at what was deleted, and what such a look found leave something.
LATE = {
    "fulfillment.holds": ("reason", "true"),
    "fulfillment.tasks": ("result", "handler = 'recheck' AND state = 'done'"),
    "deadline.addenda": ("jws", "true"),
}


async def test_no_topic_table_log_metric_file_or_process_holds_an_identity(walked: Walked) -> None:
    await eventually_async(partial(_all_kinds_of_spans, walked), within=10)

    found = await leaks(walked.running, walked.canaries, walked.planted, walked.spans)

    assert found == [], "\n".join(found)


async def test_no_answer_of_a_service_or_a_command_repeats_who_was_named(walked: Walked) -> None:
    secrets = {"saved secret"}
    named = Canaries({label: value for label, value in walked.values.items() if label not in secrets})

    said = [part for answer in walked.shown for part in everything_in(answer)]
    assert [(part[:400], found) for part in said if (found := named.found_in(part))] == []


async def test_what_the_servers_wrote_to_their_disks_holds_no_identity(walked: Walked) -> None:
    places = await server_files(walked.running, walked.partitions)

    assert len(places) > 100
    found = [
        (place, held)
        for place, blob in places
        for part in everything_in(blob)
        if (held := STEMS.found_in(part, hashes=False))
    ]
    assert found == []


async def test_the_search_finds_who_is_under_the_seal(walked: Walked) -> None:
    opened = await _opened(walked)

    telling = [plain for plain in opened if plain is not None and walked.canaries.found_in(plain)]
    assert len(telling) >= len(walked.closing)


async def test_the_search_finds_who_is_written_into_a_table_a_log_or_a_file(walked: Walked) -> None:
    value = walked.values["clear"]
    home = walked.running.settings.home
    async with walked.running.installation.admin() as admin:
        await admin.execute("CREATE TABLE fulfillment.planted AS SELECT md5($1) AS note", value)
    (home / "packages" / "planted.sealed").write_text(value.encode().hex())
    (home / "logs" / "planted.log").write_text(value.upper())
    spans = [b"\n\x05" + value.encode() + b"\x12"]

    found = await leaks(walked.running, walked.canaries, walked.planted, spans)

    async with walked.running.installation.admin() as admin:
        await admin.execute("DROP TABLE fulfillment.planted")
    for name in ("packages/planted.sealed", "logs/planted.log"):
        (home / name).unlink()
    assert any("fulfillment.planted" in one and "md5 hex" in one for one in found)
    assert any("planted.sealed" in one and "hex" in one for one in found)
    assert any("exported spans" in one for one in found)
    assert any("log planted.log" in one and "upper" in one for one in found)


@pytest.mark.parametrize("table", LATE)
async def test_the_search_finds_who_is_written_into_a_row_of_a_hold_a_look_or_an_addendum(
    walked: Walked, table: str
) -> None:
    column, where = LATE[table]
    planted = b64encode(walked.values["clear"].encode()).decode()
    async with walked.running.installation.admin() as admin:
        rows = await admin.execute(
            f"UPDATE {table} SET {column} = {column} || $1 WHERE {where}",  # noqa: S608 - our own names
            planted,
        )

        found = await leaks(walked.running, walked.canaries, walked.planted)

        taken = f"UPDATE {table} SET {column} = replace({column}, $1, '')"  # noqa: S608 - our own names
        await admin.execute(taken, planted)
    assert rows != "UPDATE 0"
    assert [one for one in found if table in one and "base64" in one]


@pytest.mark.parametrize("kind", [FindingAdded, HoldPlaced, HoldReleased], ids=lambda one: one.__name__)
async def test_the_search_finds_who_is_named_in_a_record_of_a_hold_or_a_finding(
    walked: Walked, kind: type[FindingAdded | HoldPlaced | HoldReleased]
) -> None:
    records = walked.running.tape.records
    real = next(one for one in records if one.kind == kind.declared.ce_type)
    records.append(replace(real, offset=-1, value=real.value + walked.values["clear"].encode()))

    found = list(topics(walked.running, walked.planted))

    records.pop()
    name, blob = found[-1]
    assert kind.declared.ce_type in name
    assert walked.canaries.found_in(blob)


async def test_after_the_keys_are_destroyed_nothing_opens_and_every_certificate_verifies(
    walked: Walked,
) -> None:
    running = walked.running
    assert all(await _opened(walked))

    running.clock.advance(YEARS_PASS)
    for requester in walked.closing:
        await eventually_async(partial(running.has_forgotten, requester.request_id), within=60)

    assert set(await _opened(walked)) == {None}
    for requester in walked.closing:
        await certified(requester, running.tape.about(requester.request_id))


async def _all_kinds_of_spans(walked: Walked) -> bool:
    """Whether the collector has got every kind of span: a search through none would prove nothing."""
    exported = b"".join(walked.spans)
    return all(kind.name.encode() in exported for kind in KINDS)


async def _opened(walked: Walked) -> list[bytes | None]:
    """Every sealed field that a service keeps of those who asked, opened; None where its key was destroyed."""
    installation, asked = walked.running.installation, [one.request_id for one in walked.closing]
    async with installation.admin() as admin, AsyncExitStack() as stack:
        kept = [
            row
            for service in ("intake", "fulfillment")
            for row in await admin.fetch(
                f"SELECT * FROM {service}.kept WHERE request_id = ANY($1)",  # noqa: S608 - our own names
                asked,
            )
        ]
        resources = await open_resources(installation.settings, "intake", stack)
        await resources.vault.prefetch(asked)
        return [_open(resources.vault, row) for row in kept]


def _open(vault: Vault, row: asyncpg.Record) -> bytes | None:
    try:
        return vault.open(
            UUID(str(row["request_id"])), UUID(str(row["message_id"])), row["field"], row["sealed"]
        )
    except KeyDestroyed:
        return None
