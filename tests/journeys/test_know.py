"""What a person is shown: everything that is held of them, and no value that must never be shown."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from deploy.demo.cascadia.before import Where
from deploy.demo.cascadia.places import SYSTEMS
from deploy.demo.plan import Via
from tests.support.archives import text_of
from tests.support.proven import assert_told
from tests.support.requester import ask
from tests.support.running import Running
from tests.support.town import has_everything

pytestmark = pytest.mark.connected

# 11 CCR 7024(d): an account password and a government identification number are never shown.
NEVER_SHOWN = {("crm", "contacts"): "portal_password", ("dms", "customers"): "driver_license"}
ALL_DAYS: dict[str, Any] = {"collected_from": "2022-01-01"}


@pytest.mark.parametrize("via", ["http", "kafka"])
async def test_a_copy_holds_every_row_of_the_person_and_nothing_of_anybody_else(
    running: Running, via: Via
) -> None:
    person = running.town.somebody(has_everything)
    held = await running.town.rows_of(person)

    requester = await ask(running, person, "know_specific", via=via, **ALL_DAYS)
    closed = await requester.closed()

    assert closed.resolution == "complete"
    package = await requester.package()
    assert package["request_id"] == str(requester.request_id)
    assert set(_shown(package)) == set(held)
    for where, row in _shown(package).items():
        hidden = NEVER_SHOWN.get(where[:2])
        assert set(row) == set(held[where]) - {hidden}
        assert {name: row[name] for name in _texts(row)} == {name: held[where][name] for name in _texts(row)}
    await running.town.unharmed()
    await assert_told(requester)


async def test_a_copy_says_which_secrets_are_held_and_shows_none(running: Running) -> None:
    person = running.town.somebody(has_everything)
    held = await running.town.rows_of(person)

    requester = await ask(running, person, "know_specific", **ALL_DAYS)
    await requester.closed()

    content = text_of(await requester.package_bytes())
    for where, column in NEVER_SHOWN.items():
        secrets = [str(row[column]) for place, row in held.items() if place[:2] == where]
        assert secrets
        assert not [secret for secret in secrets if secret in content]
    described = {one["kind"]: one["count"] for one in (await requester.package())["held_but_not_shown"]}
    assert described == {"account_password": 1, "government_id_number": 1}


@pytest.mark.parametrize("via", ["http", "kafka"])
async def test_who_asks_for_categories_gets_categories_and_no_row(running: Running, via: Via) -> None:
    person = running.town.somebody(has_everything)

    requester = await ask(running, person, "know_categories", via=via, **ALL_DAYS)
    closed = await requester.closed()

    assert closed.resolution == "complete"
    package = await requester.package()
    names = {one["category"] for one in package["categories"]["collected"]}
    assert {"identifiers", "commercial", "internet_activity", "sensitive"} <= names
    assert "advertising networks" in package["categories"]["third_parties_disclosed_to"]
    assert not _shown(package)
    assert person.email not in text_of(await requester.package_bytes())
    await running.town.unharmed()
    await assert_told(requester)


async def test_the_answer_opens_for_nobody_without_its_secret(running: Running) -> None:
    person, other = running.town.somebody(has_everything), running.town.somebody()
    requester = await ask(running, person, "know_specific")
    stranger = await ask(running, other, "opt_out")
    await requester.closed()

    answers = [
        await running.http.post(
            f"{running.intake}/requests/{requester.request_id}/package/link",
            headers=headers,
            json={"code": "00000000"},
        )
        for headers in ({}, {"Authorization": f"Bearer {stranger.secret}"}, {"Authorization": "Bearer none"})
    ]

    assert [answer.status_code for answer in answers] == [401, 404, 404]
    await stranger.closed()


def _shown(package: Mapping[str, Any]) -> dict[Where, dict[str, Any]]:
    """The rows of an answer, put together again from their categories."""
    names = {system: short for short, system in SYSTEMS.items()}
    return {
        (names[system["system"]], data["dataset"], str(row["id"])): row
        for system in package["systems"]
        for data in system["datasets"]
        for row in _rows(data["by_category"])
    }


def _rows(by_category: Mapping[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    for parts in zip(*by_category.values(), strict=True):
        yield {name: value for part in parts for name, value in part.items()}


def _texts(row: Mapping[str, Any]) -> list[str]:
    """Columns whose value is written the same in the database and in the answer."""
    return [name for name, value in row.items() if isinstance(value, str) and name not in NOT_PLAIN]


# Times, numbers, ids and addresses of the network are texts in an answer, and are not in the database.
NOT_PLAIN = {"id", "created_at", "birth_date", "amount", "price", "total", "ip_address", "session_id"}
