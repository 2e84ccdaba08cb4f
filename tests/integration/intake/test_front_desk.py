"""Intake on the real servers: what comes in over HTTP and Kafka, and what reaches mailboxes and topics."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy.cli.request_list import latest
from shared.events.commands import SendNotice
from tests.support.domain_driver import Messages
from tests.support.eventually import eventually_async
from tests.support.facts import fulfilled
from tests.support.installation import Installations
from tests.support.intake_host import IntakeHost, intake_host

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
async def desk(installations: Installations) -> AsyncIterator[IntakeHost]:
    async with intake_host(await installations.make(partitions=1)) as running:
        yield running


def person(**more: Any) -> dict[str, Any]:
    return {"right": "delete", "residency": "US-CA", "email": f"ada-{uuid4().hex[:12]}@example.com", **more}


def call(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()  # noqa: TID251 - the service under test runs on the real clock
    return person(channel="phone", received_at=now, **more)


async def test_a_request_over_http_is_published_and_acknowledged_by_mail(desk: IntakeHost) -> None:
    body = person(name="Ada Lovelace")

    receipt = (await desk.ask("POST", "/requests", json=body)).json()

    received = await desk.told(receipt["request_id"], "dsar.request.received.v1")
    mail = await desk.mail(body["email"])
    sent = await desk.told(receipt["request_id"], "dsar.intake.notice-sent.v1")
    assert received["claims"]
    assert body["email"] not in json.dumps(received)
    assert receipt["request_id"] in mail.get_content()
    assert mail["Message-ID"].startswith(f"<{sent['notice_id']}@")
    status = (await desk.ask("GET", f"/requests/{receipt['request_id']}", receipt["secret"])).json()
    assert [(one["kind"], one["state"]) for one in status["notices"]] == [("acknowledgement", "sent")]


async def test_twenty_callers_with_one_key_at_once_make_one_request(desk: IntakeHost) -> None:
    body, headers = person(), {"Idempotency-Key": uuid4().hex}

    answers = await asyncio.gather(
        *(desk.ask("POST", "/requests", json=body, headers=headers) for _ in range(20))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    await desk.told(answers[0].json()["request_id"], "dsar.intake.notice-sent.v1")
    assert len(desk.mails(body["email"])) == 1


async def test_a_5_mb_body_is_turned_away_and_the_next_caller_served(desk: IntakeHost) -> None:
    headers = {"Content-Type": "application/json"}

    too_large = await desk.ask("POST", "/requests", content=b"x" * 5_000_000, headers=headers)
    next_one = await desk.ask("POST", "/requests", json=person())

    assert (too_large.status_code, next_one.status_code) == (413, 201)


async def test_the_example_publisher_submits_and_withdraws(desk: IntakeHost) -> None:
    submission = uuid4().hex

    request_id = await desk.publish(submission, call())
    received = await desk.told(request_id, "dsar.request.received.v1")
    await desk.publish(submission, None)

    assert received["channel"] == "phone"
    await desk.told(request_id, "dsar.request.withdrawn.v1")


async def test_somebody_elses_request_is_not_withdrawn_and_a_bad_one_is_answered(desk: IntakeHost) -> None:
    submission = uuid4().hex
    request_id = await desk.publish(submission, call())
    await desk.told(request_id, "dsar.request.received.v1")

    foreign = await desk.publish(submission, None, source="upstream/other")
    bad = await desk.publish(uuid4().hex, call(residency="DE"))

    assert (await desk.told(foreign, "dsar.intake.command-refused.v1"))["reason"] == "not_yours"
    refused = await desk.told(bad, "dsar.intake.submission-refused.v1")
    assert (refused["reason"], refused["field"]) == ("unknown_residency", "residency")
    assert await desk.said(request_id, "dsar.request.withdrawn.v1") == []


async def test_the_answer_goes_out_once_however_often_it_is_asked_for(desk: IntakeHost) -> None:
    body = person()
    receipt = (await desk.ask("POST", "/requests", json=body)).json()
    await desk.told(receipt["request_id"], "dsar.intake.notice-sent.v1")
    about = Messages(UUID(receipt["request_id"]))
    done = about.event(fulfilled(resolution="nothing_found"), at=desk.host.resources.clock.now())

    await desk.host.shell.handle([done])
    await desk.host.shell.handle([done])

    async def answered() -> bool:
        status = await desk.ask("GET", f"/requests/{receipt['request_id']}", receipt["secret"])
        return bool(status.json()["state"] == "answered")

    await eventually_async(answered, within=20)
    assert [mail["Subject"].split(" (")[0] for mail in desk.mails(body["email"])].count(
        "Our answer to your privacy request"
    ) == 1


async def test_a_notice_whose_time_has_passed_is_never_sent(desk: IntakeHost) -> None:
    body = person()
    receipt = (await desk.ask("POST", "/requests", json=body)).json()
    about = Messages(UUID(receipt["request_id"]))
    now = desk.host.resources.clock.now()
    late = SendNotice(kind="verification_code", code="c2VhbGVk", send_by=now)

    await desk.host.shell.handle([about.command(late, at=now, source="habeas/verification")])

    expired = await desk.told(receipt["request_id"], "dsar.intake.notice-expired.v1")
    assert expired["kind"] == "verification_code"


async def test_staff_list_requests_without_identities(desk: IntakeHost) -> None:
    body = person()
    receipt = (await desk.ask("POST", "/requests", json=body)).json()

    listed = await latest(desk.installation.settings.home, 500)

    mine = next(one for one in listed if one["request_id"] == receipt["request_id"])
    assert (mine["right"], mine["state"]) == ("delete", "received")
    assert body["email"] not in json.dumps(listed)


async def test_no_table_of_intake_holds_an_address(desk: IntakeHost) -> None:
    body = person(name="Canary Lovelace")
    receipt = (await desk.ask("POST", "/requests", json=body)).json()
    await desk.told(receipt["request_id"], "dsar.intake.notice-sent.v1")

    async with desk.installation.admin() as connection:
        found = await _everything(connection)

    assert receipt["request_id"] in found
    assert body["email"] not in found
    assert "Canary" not in found


async def _everything(connection: asyncpg.Connection) -> str:
    tables = await connection.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'intake'"
    )
    rows = [await connection.fetch(f'SELECT t::text FROM intake."{one[0]}" t') for one in tables]  # noqa: S608 - names from the catalogue
    texts = [row[0] for some in rows for row in some]
    values = await connection.fetch("SELECT convert_from(value, 'UTF8') FROM intake.outbox")
    return "\n".join([*texts, *(row[0] for row in values)])
