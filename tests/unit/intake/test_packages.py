"""The answer's package goes, opened, to who confirmed once more who they are, once, and only as it was sealed."""

import hashlib
import io
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import pyzipper

from services.intake.domain.collecting import CODE_LIVES, LINK_LIVES, MOST_CODES, MOST_TRIES
from shared.events.fulfillment import PackageReference
from shared.machine.decision import Kept
from shared.privacy import Claims
from tests.support import facts
from tests.support.domain_driver import Messages
from tests.support.front_desk import NOW, FrontDesk

ARCHIVE = b"PK\x03\x04" + bytes(range(256)) * 1000


class Answered:
    """A `know` request whose package lies in its folder."""

    def __init__(self, folder: Path) -> None:
        self.desk = FrontDesk(folder)
        self.package_id = uuid4()
        self.file = folder / f"{self.package_id}.sealed"
        self.receipt: dict[str, Any] = {}
        self.claims = Claims(email="ada@example.com")

    async def fulfill(self, content: bytes = ARCHIVE) -> None:
        self.receipt = await self.desk.receipt(right="know")
        request_id = UUID(self.receipt["request_id"])
        sealed = self.desk.vault.seal(request_id, self.package_id, "package", content).encode()
        self.file.write_bytes(sealed)
        reference = PackageReference(
            package_id=self.package_id, sha256=hashlib.sha256(sealed).hexdigest(), size=len(sealed)
        )
        done = facts.fulfilled(right="know_specific", package=reference)
        driver = self.desk.cases.of(request_id)
        driver.deliver(Messages(request_id).event(done, at=NOW))
        claims = self.desk.vault.seal(request_id, self.package_id, "claims", self.claims.to_bytes())
        driver.kept["claims"] = Kept("claims", self.package_id, "claims", claims)

    async def post(self, what: str, body: Any = None) -> httpx2.Response:
        path = f"/requests/{self.receipt['request_id']}/package/{what}"
        return await self.desk.ask("POST", path, self.receipt["secret"], json=body)

    async def code(self) -> str:
        """Ask for a code; what the mail says."""
        asked = await self.post("code")
        assert asked.status_code == 202, asked.text
        return self.mailed()

    def mailed(self) -> str:
        """The code in the mail that was planned last."""
        driver = self.desk.cases.of(self.receipt["request_id"])
        name = [plan.body["code_name"] for plan in driver.tasks.values() if plan.body.get("collecting")][-1]
        kept = driver.kept[name]
        request_id = UUID(self.receipt["request_id"])
        return self.desk.vault.open(request_id, kept.message_id, kept.field, kept.sealed).decode()

    async def link(self) -> str:
        given = await self.post("link", {"code": await self.code()})
        assert given.status_code == 201, given.text
        return str(given.json()["link"])

    async def fetch(self, link: str) -> httpx2.Response:
        return await self.desk.ask("GET", link)

    async def collect(self) -> httpx2.Response:
        return await self.fetch(await self.link())


@pytest.fixture
def answered(tmp_path: Path) -> Answered:
    return Answered(tmp_path)


async def test_a_package_is_collected_as_it_was_sealed(answered: Answered) -> None:
    await answered.fulfill()

    answer = await answered.collect()

    assert (answer.status_code, answer.content) == (200, ARCHIVE)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="habeas-answer.zip"'
    assert answer.headers["cache-control"] == "no-store"


async def test_a_single_document_is_called_one(answered: Answered) -> None:
    await answered.fulfill(b'{"categories": []}')

    assert (await answered.collect()).headers["content-type"] == "application/json"


async def test_the_status_links_to_the_package_once_there_is_one(answered: Answered) -> None:
    await answered.fulfill()
    here = f"/requests/{answered.receipt['request_id']}"

    status = await answered.desk.ask("GET", here, answered.receipt["secret"])

    assert "package" not in answered.receipt["links"]
    assert status.json()["links"]["package"] == f"{here}/package/link"


async def test_before_it_is_ready_there_is_nothing_to_collect(answered: Answered) -> None:
    answered.receipt = await answered.desk.receipt(right="know")

    answer = await answered.post("code")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:habeas:problem:no_package")


@pytest.mark.parametrize("damage", [b"", b"x", None])
async def test_a_file_that_is_gone_or_changed_is_never_handed_out(
    answered: Answered, damage: bytes | None
) -> None:
    await answered.fulfill()
    if damage is None:
        answered.file.unlink()
    else:
        answered.file.write_bytes(answered.file.read_bytes() + damage if damage else damage)

    answer = await answered.collect()

    assert (answer.status_code, answer.json()["type"]) == (500, "urn:habeas:problem:failed")


async def test_a_package_of_another_request_does_not_open(answered: Answered) -> None:
    await answered.fulfill()
    first = answered.receipt
    answered.package_id = uuid4()
    stolen = answered.file.read_bytes()
    answered.file = answered.file.with_name(f"{answered.package_id}.sealed")
    other = await answered.desk.receipt(right="know")
    request_id = UUID(other["request_id"])
    answered.file.write_bytes(stolen)
    reference = PackageReference(
        package_id=answered.package_id, sha256=hashlib.sha256(stolen).hexdigest(), size=len(stolen)
    )
    answered.desk.cases.of(request_id).deliver(
        Messages(request_id).event(facts.fulfilled(right="know_specific", package=reference), at=NOW)
    )
    answered.receipt = other

    assert (await answered.collect()).status_code == 500
    assert first["request_id"] != other["request_id"]


async def test_after_its_key_was_destroyed_it_is_gone(answered: Answered) -> None:
    await answered.fulfill()
    link = await answered.link()
    await answered.desk.vault.destroy([UUID(answered.receipt["request_id"])], "closed")

    for answer in (await answered.fetch(link), await answered.post("code")):
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:habeas:problem:package_gone")


async def test_a_link_is_good_once(answered: Answered) -> None:
    await answered.fulfill()
    link = await answered.link()

    answers = [await answered.fetch(link), await answered.fetch(link)]

    assert [answer.status_code for answer in answers] == [200, 404]
    assert answers[1].json()["type"] == "urn:habeas:problem:link_unknown"


async def test_a_link_is_good_for_a_quarter_of_an_hour(answered: Answered) -> None:
    await answered.fulfill()
    link = await answered.link()

    answered.desk.clock.time += LINK_LIVES
    answer = await answered.fetch(link)

    assert (answer.status_code, answer.json()["type"]) == (410, "urn:habeas:problem:link_expired")


async def test_a_link_of_another_request_opens_nothing(answered: Answered) -> None:
    await answered.fulfill()
    link = await answered.link()
    other = await answered.desk.receipt(right="know")

    answer = await answered.fetch(link.replace(answered.receipt["request_id"], other["request_id"]))

    assert answer.status_code == 404


async def test_a_wrong_code_is_counted_and_five_of_them_spend_the_right_one(answered: Answered) -> None:
    await answered.fulfill()
    code = await answered.code()
    wrong = "1" * 8 if code != "1" * 8 else "2" * 8

    tries = [await answered.post("link", {"code": wrong}) for _ in range(MOST_TRIES)]
    after = await answered.post("link", {"code": code})

    assert {answer.json()["type"] for answer in tries} == {"urn:habeas:problem:wrong_code"}
    assert (after.status_code, after.json()["type"]) == (429, "urn:habeas:problem:code_spent")


async def test_a_code_is_good_once_and_for_half_an_hour(answered: Answered) -> None:
    await answered.fulfill()
    first = await answered.code()
    assert (await answered.post("link", {"code": first})).status_code == 201
    again = await answered.post("link", {"code": first})

    late = await answered.code()
    answered.desk.clock.time += CODE_LIVES
    too_late = await answered.post("link", {"code": late})

    assert {again.json()["type"], too_late.json()["type"]} == {"urn:habeas:problem:code_expired"}


async def test_codes_are_mailed_a_bounded_number_of_times(answered: Answered) -> None:
    await answered.fulfill()
    for _ in range(MOST_CODES):
        await answered.code()

    answer = await answered.post("code")

    assert (answer.status_code, answer.json()["type"]) == (429, "urn:habeas:problem:too_many_codes")


async def test_who_is_signed_in_to_the_account_of_the_request_needs_no_code(answered: Answered) -> None:
    await answered.fulfill()
    theirs = answered.desk.accounts.assertion("Ada@Example.com", subject="C-1")
    somebodys = answered.desk.accounts.assertion("eve@example.com", subject="C-2")

    given = await answered.post("link", {"assertion": theirs})
    refused = await answered.post("link", {"assertion": somebodys})

    assert (await answered.fetch(given.json()["link"])).content == ARCHIVE
    assert (refused.status_code, refused.json()["type"]) == (
        422,
        "urn:habeas:problem:assertion_not_believed",
    )


async def test_nothing_is_given_without_the_secret(answered: Answered) -> None:
    await answered.fulfill()
    here = f"/requests/{answered.receipt['request_id']}/package"

    answers = [await answered.desk.ask("POST", f"{here}/code", secret) for secret in (None, "1.wrong")] + [
        await answered.desk.ask("POST", f"{here}/link", None, json={"code": "12345678"})
    ]

    assert [answer.status_code for answer in answers] == [401, 404, 401]


async def test_who_asks_for_it_gets_the_answer_under_a_password(answered: Answered) -> None:
    await answered.fulfill()

    answer = await answered.desk.ask(
        "POST", await answered.link(), json={"password": "correct horse battery"}
    )

    with pyzipper.AESZipFile(io.BytesIO(answer.content)) as locked:
        [inside] = locked.infolist()
        assert (inside.filename, inside.flag_bits & 1, inside.wz_aes_strength) == ("habeas-answer.zip", 1, 3)
        with pytest.raises(RuntimeError, match="password"):
            locked.read(inside)
        with pytest.raises(RuntimeError, match="Bad password"):
            locked.read(inside, pwd=b"wrong horse battery")
        assert locked.read(inside, pwd=b"correct horse battery") == ARCHIVE
    assert ARCHIVE[10:200] not in answer.content


async def test_a_short_password_is_refused_and_spends_no_link(answered: Answered) -> None:
    await answered.fulfill()
    link = await answered.link()

    refused = await answered.desk.ask("POST", link, json={"password": "short"})

    assert (refused.status_code, "short" in refused.text) == (422, False)
    assert (await answered.fetch(link)).status_code == 200


async def test_the_answer_can_be_had_as_a_letter_on_paper(answered: Answered) -> None:
    await answered.fulfill()
    here = f"/requests/{answered.receipt['request_id']}/letter"

    letter = await answered.desk.ask("GET", here, answered.receipt["secret"])
    stranger = await answered.desk.ask("GET", here, "1.wrong")

    assert (letter.status_code, letter.headers["content-type"]) == (200, "application/pdf")
    assert letter.content.startswith(b"%PDF-")
    assert stranger.status_code == 404


async def test_before_the_answer_there_is_no_letter(answered: Answered) -> None:
    answered.receipt = await answered.desk.receipt(right="know")
    here = f"/requests/{answered.receipt['request_id']}/letter"

    answer = await answered.desk.ask("GET", here, answered.receipt["secret"])

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:habeas:problem:no_letter")
