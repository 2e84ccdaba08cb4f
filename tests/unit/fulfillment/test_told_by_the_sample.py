"""The companies of the sample that are only told: by the real adapters, and proved by their own books."""

import json
import shutil
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest

from deploy.demo.audience import AUDIENCE
from deploy.demo.cascadia.people import Person, make_people
from deploy.demo.plan import Ask
from deploy.demo.told import SYSTEMS, ToldSystems
from deploy.demo.told_proof import wrongly_heard
from deploy.demo.world import SYSTEMS as DESCRIBED
from deploy.local.mail import keep
from services.fulfillment.adapters.email.letters import Letter, sealed
from services.fulfillment.connected import Connected
from services.fulfillment.connecting import connect
from services.fulfillment.domain import Catalogue
from services.fulfillment.domain.catalogue import Period
from services.fulfillment.ports import Ambiguous, Done, Frozen, Gone, Subject
from shared.clock import SystemClock
from shared.policy.rights import Right
from shared.settings import Settings
from tests.support.facts import RECEIVED_AT

PEOPLE = make_people(1, 4)
GONE, OUT, OTHER, LAST = PEOPLE
CUT_OFF = datetime(2026, 11, 1, tzinfo=UTC)
ASKED: dict[UUID, Ask[Any]] = {
    UUID(int=1): Ask(GONE, "delete", "http", "assertion"),
    UUID(int=2): Ask(OUT, "opt_out", "http", "none"),
    UUID(int=3): Ask(OTHER, "delete", "http", "none", "silent"),
}


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[ToldSystems]:
    (tmp_path / "cascadia").mkdir()
    (tmp_path / "mail").mkdir()
    shutil.copytree(DESCRIBED, tmp_path / "systems")
    systems = ToldSystems(Settings(home=tmp_path), tmp_path / "mail")
    systems.furnish(PEOPLE)
    yield systems
    systems.stop()


def connected(home: Path, system: str) -> Connected:
    (found,) = (
        one
        for one in connect(home / "systems", home, SystemClock())
        if one.entry.name == f"cascadia-{system}"
    )
    return found


async def frozen_of(system: Connected, person: Person) -> Frozen:
    found = await system.adapter.find(Subject({"email": person.email}), cut_off=CUT_OFF)
    assert isinstance(found, Frozen)
    return found


@pytest.fixture
async def audience(told: ToldSystems, tmp_path: Path) -> AsyncIterator[Connected]:
    del told
    system = connected(tmp_path, "audience")
    yield system
    await system.adapter.close()


async def told_audience(audience: Connected, *orders: tuple[str, Person]) -> list[type]:
    answers = []
    for number, (right, person) in enumerate(orders):
        frozen = await frozen_of(audience, person)
        answer = await audience.adapter.act(
            right, frozen, cut_off=CUT_OFF, idempotency_key=f"{right}-{number}"
        )
        answers.append(type(answer))
    return answers


@pytest.mark.parametrize(
    ("right", "told_of"),
    [
        (Right.DELETE, set(SYSTEMS)),
        (Right.OPT_OUT, {"cascadia-test-drives", "cascadia-audience"}),
        (Right.LIMIT, set()),
        (Right.KNOW_SPECIFIC, {"cascadia-sessions"}),
        (Right.KNOW_CATEGORIES, set()),
        (Right.CORRECT, set(SYSTEMS)),
    ],
)
def test_each_right_leads_to_those_who_can_be_told_of_it_and_a_correction_to_a_person_at_each(
    told: ToldSystems, tmp_path: Path, right: Right, told_of: Collection[str]
) -> None:
    del told

    catalogue = Catalogue(one.entry for one in connect(tmp_path / "systems", tmp_path, SystemClock()))

    serving = {one.name for one in catalogue.serving("cascadia", right, Period(RECEIVED_AT, RECEIVED_AT))}
    assert serving & set(SYSTEMS) == told_of


async def test_the_print_shop_does_an_order_of_its_folder_and_leaves_no_name_there(
    told: ToldSystems, tmp_path: Path
) -> None:
    shop = connected(tmp_path, "print-shop")
    frozen = await frozen_of(shop, GONE)
    assert len(list(told.print_shop.findings(ASKED))) == 2

    answer = await shop.adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="k")
    assert isinstance(answer, Ambiguous)
    assert len(told.print_shop.do_orders()) == 1
    assert len(list(told.print_shop.findings(ASKED))) == 1

    assert isinstance(await shop.adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    assert list(told.print_shop.findings(ASKED)) == []


async def test_the_calendar_does_a_message_once_and_believes_none_that_is_not_signed(
    told: ToldSystems, tmp_path: Path
) -> None:
    calendar = connected(tmp_path, "test-drives")
    for right, person in (("delete", GONE), ("opt_out", OUT), ("delete", GONE)):
        answer = await calendar.adapter.act(
            right, await frozen_of(calendar, person), cut_off=CUT_OFF, idempotency_key=f"{right}-1"
        )
        assert isinstance(answer, Done)
    assert list(told.booking.findings(ASKED)) == []

    now = str(int(datetime.now(UTC).timestamp()))  # noqa: TID251 - whoever forges has a clock
    old = str(int((datetime.now(UTC) - timedelta(hours=1)).timestamp()))  # noqa: TID251 - the same
    address = (tmp_path / "cascadia" / "cascadia-test-drives.url").read_text()
    async with httpx2.AsyncClient() as http:
        for at in (now, old):
            headers = {"webhook-id": "x", "webhook-timestamp": at, "webhook-signature": "v1,AAAA"}
            assert (await http.post(address, headers=headers, content=b"{}")).status_code == 401
    assert list(told.booking.findings(ASKED)) == [
        "cascadia-test-drives refused 2 messages, the first because its signature is not ours"
    ]


async def test_the_audience_is_told_of_each_by_the_connector_as_it_ships_and_by_hashes_alone(
    told: ToldSystems, audience: Connected
) -> None:
    checked = await audience.adapter.check()
    assert checked.reachable
    assert checked.credentials
    assert len(list(told.audience.findings(ASKED))) == 2

    assert await told_audience(audience, ("delete", GONE), ("opt_out", OUT)) == [Done, Done]

    assert list(told.audience.findings(ASKED)) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("delete", GONE), ["cascadia-audience was told of 1 people more than once for a request"]),
        (
            ("delete", OTHER),
            [
                "cascadia-audience was told of 1 people of whom it should not be",
                "cascadia-audience has other members than those who did not ask for removal",
            ],
        ),
    ],
    ids=["twice", "never verified"],
)
async def test_a_removal_from_the_audience_that_should_not_be_is_a_finding(
    told: ToldSystems, audience: Connected, more: tuple[str, Person], said: list[str]
) -> None:
    await told_audience(audience, ("delete", GONE), ("opt_out", OUT), more)

    assert list(told.audience.findings(ASKED)) == said


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"data": [GONE.email]}, "it says somebody in the clear"),
        ({"schema": "EMAIL"}, "it does not send the hashes of addresses"),
        ({"name": GONE.name}, "its payload says more, or less, than whom to remove"),
    ],
    ids=["an address", "another schema", "a name beside"],
)
async def test_the_audience_refuses_what_is_in_the_clear(
    told: ToldSystems, audience: Connected, tmp_path: Path, sent: dict[str, object], said: str
) -> None:
    await told_audience(audience, ("delete", GONE), ("opt_out", OUT))
    token = (tmp_path / "cascadia" / "cascadia-audience.key").read_text()

    assert await removed(tmp_path, token, sent) == 400
    assert list(told.audience.findings(ASKED)) == [
        f"cascadia-audience refused 1 calls, the first because {said}"
    ]


async def test_the_audience_hears_nobody_whose_token_is_not_ours(told: ToldSystems, tmp_path: Path) -> None:
    assert await removed(tmp_path, "guessed", {}) == 400
    assert list(told.audience.findings({})) == [
        "cascadia-audience refused 1 calls, the first because its token is not ours"
    ]


async def removed(home: Path, token: str, sent: dict[str, object]) -> int:
    address = (home / "cascadia" / "cascadia-audience.url").read_text()
    payload = {"schema": "EMAIL_SHA256", "data": ["0" * 64], **sent}
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}) as http:
        form = {"payload": json.dumps(payload)}
        return (await http.request("DELETE", f"{address}/{AUDIENCE}/users", data=form)).status_code


async def test_a_second_message_about_the_same_person_is_a_finding(told: ToldSystems, tmp_path: Path) -> None:
    calendar = connected(tmp_path, "test-drives")
    for key, right, person in (("1", "delete", GONE), ("2", "opt_out", OUT), ("3", "delete", GONE)):
        frozen = await frozen_of(calendar, person)
        await calendar.adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key=key)

    assert list(told.booking.findings(ASKED)) == ["cascadia-test-drives was told of 1 people twice"]


def test_a_letter_is_a_finding_until_the_company_has_answered_it(
    told: ToldSystems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = Letter(
        order="o-1",
        right="delete",
        sender="privacy@cascadia.example",
        to="office@bright-detailing.example",
        subjects=[{"email": GONE.email}],
        times=(CUT_OFF, CUT_OFF),
    )
    for number in (1, 2):  # the second is the same letter again
        keep(tmp_path / "mail", sealed(letter, {}), letter.sender, [letter.to], number)
    sent: list[str] = []
    monkeypatch.setattr(told.detailing, "_post", lambda one: sent.append(one["Message-ID"]))
    assert len(list(told.detailing.findings(ASKED))) == 2

    told.detailing.answer_mail()

    assert sent == ["<o-1@cascadia.example>"]
    assert list(told.detailing.findings(ASKED)) == []


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ([], "x was not told of 1 people whom it should forget or leave alone"),
        ([("delete", GONE.email)] * 2, "x was told of 1 people twice"),
        (
            [("delete", GONE.email), ("delete", OTHER.email)],
            "x was told of 1 people of whom it should not be",
        ),
        ([("delete", GONE.email), ("opt_out", OUT.email)], "x was told of 1 people of whom it should not be"),
    ],
    ids=["missed", "twice", "never verified", "not its right"],
)
def test_who_was_told_wrongly_is_found(heard: list[tuple[str, str]], said: str) -> None:
    assert list(wrongly_heard("x", ("delete",), heard, ASKED)) == [said]


def test_whom_a_company_lost_though_nobody_asked_is_found(told: ToldSystems) -> None:
    readers = told.print_shop._list  # noqa: SLF001 - the shop itself loses somebody
    readers.write_text(
        "\n".join(each for each in readers.read_text().splitlines() if each != LAST.email.lower())
    )

    assert "cascadia-print-shop has lost 1 people who did not ask for deletion" in list(
        told.print_shop.findings(ASKED)
    )
