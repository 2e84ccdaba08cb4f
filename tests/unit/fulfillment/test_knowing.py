"""Answers to know: each system's part sealed, one package, and nothing that must not be shown."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from services.fulfillment.datamap.model import MapField, Provenance
from services.fulfillment.ports import Retry
from shared.events.fulfillment import TaskNeedsPerson
from shared.privacy import Claims
from shared.vault.pieces import opening
from tests.support.archives import document_of
from tests.support.domain_driver import REQUEST
from tests.support.facts import RECEIVED_AT, verified, withdrawn
from tests.support.fulfillment_board import EMAIL, Board
from tests.support.memory_system import MemorySystem, Row, connected, memory_system, table

NOW = RECEIVED_AT + timedelta(hours=2)
ADA = {"email": EMAIL}
CITY = MapField(
    "city",
    category="geolocation",
    provenance=Provenance(
        "the person", "delivery", disclosed_to=("carriers",), sold_or_shared_to=("ad networks",)
    ),
)
SSN = MapField("ssn", category="sensitive", withheld="social_security_number")


def crm() -> MemorySystem:
    values = {"city": "Sacramento", "ssn": "123-45-6789"}
    rows = (Row("people", 1, ADA, values), Row("people", 2, {"email": "bob@example.com"}, values))
    return memory_system("crm", *rows, tables=(table("people", "email", city=CITY, ssn=SSN),))


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.sealed"))


async def asked(board: Board, right: str = "know_specific", **said: Any) -> None:
    await board.receive(right)
    board.hear(verified(**{"right": right, **said}))
    await board.run_all()


async def package(board: Board, folder: Path) -> dict[str, Any]:
    """The answer as whoever holds the key reads it."""
    reference = board.fulfilled[0].package
    assert reference is not None
    sealed = (folder / f"{reference.package_id}.sealed").read_bytes()
    assert (sha256(sealed).hexdigest(), len(sealed)) == (reference.sha256, reference.size)
    await board.vault.prefetch([REQUEST])
    opened = partial(board.vault.open, REQUEST, reference.package_id)
    return document_of(b"".join(opening(sealed.splitlines(), "package", opened)))


async def test_the_specific_pieces_come_in_one_sealed_package(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()), connected(memory_system("mail")))

    await asked(board)
    answer = await package(board, tmp_path)

    end = board.fulfilled[0]
    assert end.resolution == "complete"
    assert [(each.system, each.outcome, each.exported) for each in end.systems] == [
        ("crm", "done", 1),
        ("mail", "nothing", 0),
    ]
    rows = answer["systems"][0]["datasets"][0]["by_category"]
    assert rows["geolocation"] == [{"city": "Sacramento"}]
    assert rows["identifiers"] == [{"email": EMAIL}]


async def test_numbers_that_may_not_be_shown_are_described(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))

    await asked(board)
    answer = await package(board, tmp_path)

    assert "123-45" not in json.dumps(answer)
    described = answer["held_but_not_shown"]
    assert [(each["kind"], each["count"]) for each in described] == [("social_security_number", 1)]
    assert described[0]["words"] == "a social security number is held"


async def test_a_categories_answer_lists_what_the_statute_asks_for_and_no_row(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))

    await asked(board, "know_categories")
    answer = await package(board, tmp_path)

    categories = answer["categories"]
    assert [each["category"] for each in categories["collected"]] == [
        "geolocation",
        "identifiers",
        "sensitive",
    ]
    assert (categories["sources"], categories["purposes"]) == (["the person"], ["delivery"])
    assert categories["third_parties_disclosed_to"] == ["ad networks", "carriers"]
    assert [each["recipients"] for each in categories["sold_or_shared"]] == [["ad networks"]]
    assert [each["recipients"] for each in categories["disclosed_for_a_business_purpose"]] == [["carriers"]]
    assert "Sacramento" not in json.dumps(answer)


async def test_specific_pieces_that_could_not_be_verified_are_answered_as_categories(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))

    await board.receive("know_specific")
    board.hear(verified("know_categories", conclusion="downgraded", reason="degree_not_reached"))
    await board.run_all()
    answer = await package(board, tmp_path)

    assert board.fulfilled[0].right == "know_categories"
    assert answer["right"] == "know_categories"
    assert EMAIL not in json.dumps(answer)


async def test_nothing_held_anywhere_needs_no_package(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(memory_system("crm")))

    await asked(board)

    assert [(end.resolution, end.package) for end in board.fulfilled] == [("nothing_found", None)]


async def test_the_days_that_the_person_asked_about_bound_the_answer(tmp_path: Path) -> None:
    rows = [
        Row("people", n, ADA, {"city": str(n)}, datetime(n, 6, 1, tzinfo=UTC)) for n in (2022, 2024, 2025)
    ]
    system = memory_system("crm", *rows, tables=(table("people", "email", city=CITY),))
    board = Board(tmp_path, NOW, connected(system))
    claims = Claims(email=EMAIL, collected_from=date(2024, 1, 1), collected_to=date(2024, 12, 31))

    await board.receive("know_specific", claims)
    board.hear(verified("know_specific"))
    await board.run_all()
    answer = await package(board, tmp_path)

    assert answer["systems"][0]["datasets"][0]["by_category"]["geolocation"] == [{"city": "2024"}]


@pytest.mark.parametrize("key", ["act:crm:know_specific", "package"])
async def test_a_crash_before_the_end_is_repeated_without_harm(tmp_path: Path, key: str) -> None:
    board = Board(tmp_path, NOW, connected(crm()))
    await board.receive("know_specific")
    board.hear(verified("know_specific"))
    if key == "package":
        await board.run("act:crm:know_specific")

    board.crash_at = "before_finish"
    assert await board.run(key) == "queued"
    await board.run_all()

    assert (await package(board, tmp_path))["format"] == "habeas-answer/2"
    assert len(board.fulfilled) == 1


async def test_who_reads_or_packs_very_many_rows_says_that_it_goes_on(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))

    await asked(board)

    assert board.got_further["act:crm:know_specific"] > 1
    assert board.got_further["package"] >= 1


async def test_a_system_that_is_away_is_asked_again(tmp_path: Path) -> None:
    system = crm()
    system.before["export"].append(lambda: Retry(timedelta(seconds=30), "away"))
    board = Board(tmp_path, NOW, connected(system))

    await asked(board)

    assert board.fulfilled[0].resolution == "complete"


async def test_a_part_that_is_lost_comes_to_a_person(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))
    await board.receive("know_specific")
    board.hear(verified("know_specific"))
    await board.run("act:crm:know_specific")

    for part in (tmp_path / "parts").iterdir():
        part.unlink()
    await board.run_all()

    assert board.held["package"].state == "needs_person"
    assert not board.fulfilled


async def test_a_withdrawal_before_the_package_ends_without_one(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))
    await board.receive("know_specific")
    board.hear(verified("know_specific"))
    await board.run("act:crm:know_specific")

    board.hear(withdrawn())
    await board.run_all()

    assert [(end.resolution, end.package) for end in board.fulfilled] == [("withdrawn", None)]


async def test_files_are_removed_once_their_key_is_destroyed_and_not_before(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))
    await asked(board)

    async def all_of_them(files: Sequence[Any]) -> dict[Any, Any]:
        return dict.fromkeys(files, REQUEST)

    assert await board.files.remove_forgotten(all_of_them, board.vault) == 0
    await board.vault.destroy([REQUEST], "closed")

    assert await board.files.remove_forgotten(all_of_them, board.vault) == 2
    assert not files_in(tmp_path)


async def test_what_lies_on_disk_shows_nobody(tmp_path: Path) -> None:
    board = Board(tmp_path, NOW, connected(crm()))

    await asked(board)

    files = files_in(tmp_path)
    assert len(files) == 2
    assert all(b"canary" not in file.read_bytes().lower() for file in files)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)


async def test_7024_d_what_looks_like_a_number_that_is_never_shown_stops_the_answer(tmp_path: Path) -> None:
    note = MapField("note", category="customer_records")
    row = Row("people", 1, ADA, {"note": "my social is 536-22-8145"})
    board = Board(
        tmp_path, NOW, connected(memory_system("crm", row, tables=(table("people", "email", note=note),)))
    )

    await asked(board)

    assert board.case.stuck == ("act:crm:know_specific",)
    (event,) = board.driver.bodies(TaskNeedsPerson)
    assert event.kind == "withheld"
    assert "people.note: social_security_number" in event.reason
    assert "8145" not in event.reason
    assert board.fulfilled == []


async def test_a_column_that_a_person_has_cleared_is_shown(tmp_path: Path) -> None:
    note = MapField("note", category="customer_records", cleared=True)
    row = Row("people", 1, ADA, {"note": "part 536-22-8145"})
    board = Board(
        tmp_path, NOW, connected(memory_system("crm", row, tables=(table("people", "email", note=note),)))
    )

    await asked(board)

    assert board.fulfilled[0].resolution == "complete"
