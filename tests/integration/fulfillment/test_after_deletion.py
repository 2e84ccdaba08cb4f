"""After a deletion on the real database: who is suppressed, what came back, and whoever asks is answered."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import httpx2
import pytest
from fastapi import FastAPI

from services.fulfillment import restating
from services.fulfillment.api import suppression_routes
from services.fulfillment.ports import Receipt
from services.fulfillment.suppression import SuppressionRegister
from shared.events.catalogue import decode
from shared.events.commands import LiftSuppression
from shared.events.fulfillment import FindingAdded
from shared.policy import load_regime
from shared.policy.dates import local_date, not_before
from shared.privacy.suppression import suppression_hashes
from tests.support.facts import RECEIVED_AT, closed
from tests.support.fulfillment_host import Asked, FulfillmentHost, fulfillment_host
from tests.support.installation import Installation, Installations
from tests.support.memory_system import MemorySystem, Row, connected, memory_system

pytestmark = pytest.mark.connected
EMAIL = "ada.canary@example.com"
HASHES = "SELECT key, value, headers FROM outbox WHERE topic = 'dsar.suppressed' ORDER BY id"


@pytest.fixture
async def bare(installations: Installations) -> Installation:
    """An installation without topics: nothing here is published."""
    return await installations.make(topics=())


@pytest.fixture
def crm() -> MemorySystem:
    return memory_system(
        "crm", Row("people", 1, {"email": EMAIL}), Row("people", 2, {"email": "bob@example.com"})
    )


@pytest.fixture
async def service(bare: Installation, crm: MemorySystem) -> AsyncIterator[FulfillmentHost]:
    seen = connected(crm)
    system = replace(seen, entry=replace(seen.entry, proves=True), backup_days=35)
    async with fulfillment_host(bare, [system]) as opened:
        yield opened


@pytest.fixture
async def pages(service: FulfillmentHost) -> AsyncIterator[httpx2.AsyncClient]:
    application = FastAPI()
    application.include_router(suppression_routes(SuppressionRegister(service.resources.pool)))
    transport = httpx2.ASGITransport(application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://fulfillment") as client:
        yield client


async def deleted(service: FulfillmentHost) -> Asked:
    asked = await service.asked(EMAIL)
    await service.hear(*asked.facts())
    await service.run_tasks()
    return asked


def hash_of(service: FulfillmentHost, business: str = "cascadia", email: str = EMAIL) -> str:
    (found, *_) = suppression_hashes(service.resources.keys.lookup(), business, "email", email)
    return found


async def findings(service: FulfillmentHost, asked: Asked) -> list[tuple[str, str, int]]:
    rows = await service.resources.pool.fetch(
        "SELECT value FROM outbox WHERE request_id = $1 AND topic = 'dsar.fulfilled' ORDER BY id",
        asked.request_id,
    )
    read = [decode(FindingAdded.declared.ce_type, row["value"]) for row in rows[1:]]
    return [(one.kind, one.look, one.count) for one in read if isinstance(one, FindingAdded)]


async def test_who_was_deleted_is_found_by_every_spelling_and_in_no_other_business(
    service: FulfillmentHost, pages: httpx2.AsyncClient
) -> None:
    await deleted(service)
    hers, elsewhere = hash_of(service, email=EMAIL.upper()), hash_of(service, business="harbour")

    answer = await pages.post("/suppression/check", json={"hashes": [hers, elsewhere, "1:" + "0" * 64]})

    assert answer.json() == {"suppressed": {hers: ["delete"]}, "ask_again_from": {}}
    (record,) = await service.resources.pool.fetch(HASHES)
    assert record["key"] == hers
    assert EMAIL not in str(dict(record))


async def test_a_lifted_suppression_leaves_no_row_and_takes_its_record_off(
    service: FulfillmentHost, pages: httpx2.AsyncClient
) -> None:
    asked = await deleted(service)

    answer = await service.decided(asked, LiftSuppression(actor="operator", reason="a customer again"))
    await service.run_tasks()

    assert answer.refusal is None
    checked = await pages.post("/suppression/check", json={"hashes": [hash_of(service)]})
    assert checked.json() == {"suppressed": {}, "ask_again_from": {}}
    assert await service.resources.pool.fetchval("SELECT count(*) FROM suppressed") == 0
    records = await service.resources.pool.fetch(HASHES)
    assert [bool(record["value"]) for record in records] == [True, False]


async def test_of_a_lost_topic_every_hash_is_told_again_as_it_stands_and_what_was_lifted_is_not(
    service: FulfillmentHost, bare: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restating, "EACH", 2)
    opted_out = [await opted_out_by(service, f"{name}@example.com") for name in ("eve", "fay", "gil")]
    lifted = await deleted(service)
    await service.decided(lifted, LiftSuppression(actor="operator", reason="a customer again"))
    await service.run_tasks()
    said = {row["key"]: row["value"] for row in await service.resources.pool.fetch(HASHES)}

    async with bare.admin() as admin:
        await admin.execute("DELETE FROM fulfillment.outbox WHERE topic = 'dsar.suppressed'")
        told = [number async for number in restating.restate(admin, service.resources.clock.now())]

    again = {row["key"]: row["value"] for row in await service.resources.pool.fetch(HASHES)}
    assert told == [2, 1]
    assert set(again) == {hash_of(service, email=email) for email in opted_out}
    assert again == {key: value for key, value in said.items() if value}


async def opted_out_by(service: FulfillmentHost, email: str) -> str:
    out = await service.asked(email, "opt_out")
    await service.hear(*out.facts("opt_out", conclusion="not_needed", subject_hash=None))
    await service.run_tasks()
    return email


async def test_two_requests_hold_one_record_until_both_are_lifted(
    service: FulfillmentHost, pages: httpx2.AsyncClient
) -> None:
    first = await deleted(service)
    second = await service.asked(EMAIL, "opt_out")
    await service.hear(*second.facts("opt_out", conclusion="not_needed", subject_hash=None))
    await service.run_tasks()

    await service.decided(first, LiftSuppression(actor="operator", reason="a customer again"))
    await service.run_tasks()

    checked = await pages.post("/suppression/check", json={"hashes": [hash_of(service)]})
    assert list(checked.json()["suppressed"].values()) == [["opt_out"]]


async def test_who_opted_out_is_not_to_be_asked_again_for_a_year_from_the_answer(
    service: FulfillmentHost, pages: httpx2.AsyncClient
) -> None:
    out = await service.asked(EMAIL, "opt_out")
    await service.hear(*out.facts("opt_out", conclusion="not_needed", subject_hash=None))
    await service.run_tasks()
    at_first = await pages.post("/suppression/check", json={"hashes": [hash_of(service)]})

    answered = closed("opt_out").model_copy(update={"ask_again_from": date(2099, 2, 3)})
    await service.hear(out.messages.event(answered, at=RECEIVED_AT))

    after = await pages.post("/suppression/check", json={"hashes": [hash_of(service)]})
    assert list(at_first.json()["ask_again_from"].values()) == [str(_in_a_year(service))]
    assert list(after.json()["ask_again_from"].values()) == ["2099-02-03"]
    records = await service.resources.pool.fetch(HASHES)
    told = [json.loads(record["value"])["ask_again_from"] for record in records]
    assert told == [str(_in_a_year(service)), "2099-02-03"]


def _in_a_year(service: FulfillmentHost) -> date:
    regime = load_regime("us-ca-ccpa")
    return not_before(local_date(service.resources.clock.now(), regime.zone), 12)


async def test_whoever_opts_in_again_is_opted_out_no_longer(
    service: FulfillmentHost, pages: httpx2.AsyncClient
) -> None:
    out = await service.asked(EMAIL, "opt_out")
    await service.hear(*out.facts("opt_out", conclusion="not_needed", subject_hash=None))
    await service.run_tasks()
    assert await service.resources.pool.fetchval("SELECT count(*) FROM suppressed") == 1

    back = await service.asked(EMAIL, "opt_in")
    await service.hear(*back.facts("opt_in", conclusion="not_needed", subject_hash=None))
    await service.run_tasks()
    case = await service.case(back.request_id)

    if case.resolution is None:
        pytest.fail(f"the opt-in waits: {case.open} {case.stuck}")
    checked = await pages.post("/suppression/check", json={"hashes": [hash_of(service)]})
    assert checked.json() == {"suppressed": {}, "ask_again_from": {}}


async def test_a_new_version_of_the_key_leaves_older_records_in_force(
    service: FulfillmentHost, pages: httpx2.AsyncClient, bare: Installation
) -> None:
    from shared.keyfiles import rotate_key

    await deleted(service)
    rotate_key(bare.settings.keys, "lookup")
    both = suppression_hashes(service.resources.keys.lookup(), "cascadia", "email", EMAIL)

    checked = await pages.post("/suppression/check", json={"hashes": both})

    assert [one.partition(":")[0] for one in both] == ["2", "1"]
    assert checked.json()["suppressed"] == {both[1]: ["delete"]}
    assert (await pages.get("/suppression/versions")).json() == {"versions": ["1"]}


async def test_a_body_beyond_all_bounds_is_turned_away(pages: httpx2.AsyncClient) -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 50_000

    for content in (b"x" * 2_000_000, in_chunks()):
        answer = await pages.post("/suppression/check", content=content)
        assert (answer.status_code, answer.json()["type"]) == (413, "urn:habeas:problem:content_too_large")


@pytest.mark.parametrize(
    "content",
    [
        b'{"hashes": ["ada.canary@example.com"]}',
        b'{"hashes": []}',
        b'{"hashes": "1:' + b"a" * 64 + b'"}',
        b"\xff\x00",
        b'{"hashes": ["1:' + b"a" * 64 + b'"], "more": 1}',
    ],
)
async def test_what_is_no_hash_is_refused_without_being_repeated(
    pages: httpx2.AsyncClient, content: bytes
) -> None:
    answer = await pages.post("/suppression/check", content=content)

    assert answer.status_code == 422
    assert "canary" not in answer.text


async def test_more_than_ten_thousand_hashes_are_refused(pages: httpx2.AsyncClient) -> None:
    hashes = [f"1:{number:064x}" for number in range(10_001)]

    assert (await pages.post("/suppression/check", json={"hashes": hashes})).status_code == 422
    assert (await pages.post("/suppression/check", json={"hashes": hashes[:-1]})).status_code == 200


async def test_a_receipt_and_the_request_s_end_say_until_when_backups_may_hold_it(
    service: FulfillmentHost,
) -> None:
    asked = await deleted(service)

    (end,) = await service.fulfilled(asked.request_id)
    result = await service.resources.pool.fetchval("SELECT result FROM tasks WHERE key = 'act:crm:delete'")
    receipt = Receipt.from_json(json.loads(result)["result"]["receipt"])

    assert receipt.backups_until == receipt.performed_at.date() + timedelta(days=35)
    assert end.systems[0].backups_until == receipt.backups_until
    assert receipt.is_intact()
    assert not replace(receipt, backups_until=None).is_intact()


async def test_what_came_back_is_found_deleted_again_and_told(
    service: FulfillmentHost, crm: MemorySystem
) -> None:
    hers = crm.rows[0]
    asked = await deleted(service)
    crm.rows.append(hers)

    await service.hurry()
    await service.run_tasks()

    assert [row.key for row in crm.rows] == [2]
    assert await findings(service, asked) == [("came_back", "1 hour", 1), ("deleted_again", "1 hour", 1)]


async def test_what_stays_gone_is_looked_at_four_times_and_nothing_is_said(
    service: FulfillmentHost,
) -> None:
    asked = await deleted(service)
    await service.hear(asked.messages.event(closed(), at=RECEIVED_AT))

    for _ in range(5):
        await service.hurry()
        await service.run_tasks()

    looks = await service.resources.pool.fetch(
        "SELECT key, state FROM tasks WHERE handler = 'recheck' ORDER BY 1"
    )
    assert [tuple(row) for row in looks] == [(f"recheck:crm:{number}", "done") for number in range(4)]
    assert await findings(service, asked) == []
    assert (await service.case(asked.request_id)).later == ()


async def test_rows_that_came_back_under_other_ids_are_found_by_who_they_are_of(
    service: FulfillmentHost, crm: MemorySystem
) -> None:
    asked = await deleted(service)
    crm.rows.append(Row("people", 77, {"email": EMAIL}))
    crm.rows.append(Row("people", 78, {"email": EMAIL}, created_at=RECEIVED_AT.replace(year=2027)))

    await service.hurry()
    await service.run_tasks()

    assert [row.key for row in crm.rows] == [2, 78]
    assert ("came_back", "1 hour", 1) in await findings(service, asked)
