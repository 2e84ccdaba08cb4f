"""The answer's package goes, opened, to who shows the request's secret, and only as it was sealed."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from shared.events.fulfillment import PackageReference
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

    async def fulfill(self, content: bytes = ARCHIVE) -> None:
        self.receipt = await self.desk.receipt(right="know")
        request_id = UUID(self.receipt["request_id"])
        sealed = self.desk.vault.seal(request_id, self.package_id, "package", content).encode()
        self.file.write_bytes(sealed)
        reference = PackageReference(
            package_id=self.package_id, sha256=hashlib.sha256(sealed).hexdigest(), size=len(sealed)
        )
        done = facts.fulfilled(right="know_specific", package=reference)
        self.desk.cases.of(request_id).deliver(Messages(request_id).event(done, at=NOW))

    async def collect(self) -> httpx2.Response:
        path = f"/requests/{self.receipt['request_id']}/package"
        return await self.desk.ask("GET", path, self.receipt["secret"])


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
    assert status.json()["links"]["package"] == f"{here}/package"


async def test_before_it_is_ready_there_is_nothing_to_collect(answered: Answered) -> None:
    answered.receipt = await answered.desk.receipt(right="know")

    answer = await answered.collect()

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
    await answered.desk.vault.destroy([UUID(answered.receipt["request_id"])], "closed")

    answer = await answered.collect()

    assert (answer.status_code, answer.json()["type"]) == (410, "urn:habeas:problem:package_gone")
