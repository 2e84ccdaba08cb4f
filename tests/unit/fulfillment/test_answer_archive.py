"""The archive that a person collects: readable by anybody, runnable by nobody, and a change is noticed."""

import csv
import io
import json
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.answer.archive import archive
from services.fulfillment.answer.page import ROWS_SHOWN
from services.fulfillment.answer.survey import ROWS_KEPT
from services.fulfillment.answer.words import words_of
from services.fulfillment.answer_parts import lines_of
from services.fulfillment.datamap.additions import WithheldKind
from services.fulfillment.datamap.statutory import WORDS
from shared.keyfiles import KeyFiles, init_keys
from shared.privacy.claims import Language
from shared.signing import KeyRing
from tests.support.archives import files_of

RING = KeyRing.generate()
ABOUT = {
    "format": "habeas-answer/2",
    "request_id": "7de025f4-a629-458b-8b68-bf6344ef7257",
    "business": "cascadia",
    "right": "know_specific",
    "composed_at": "2026-02-03T19:00:00+00:00",
}
HELD = {
    "category": "identifiers",
    "sources": ["the person"],
    "purposes": ["delivery"],
    "disclosed_to": ["carriers"],
    "sold_or_shared_to": ["ad networks"],
}


def export(*rows: dict[str, Any], system: str = "crm", table: str = "people") -> dict[str, Any]:
    data = {
        "dataset": table,
        "rows": list(rows),
        "categories": {"email": "identifiers"},
        "withheld": [{"column": "ssn", "kind": "social_security_number", "count": 1}],
    }
    return {"system": system, "datasets": [data], "categories": [HELD]}


def made(*exports: dict[str, Any], ring: KeyRing = RING, language: Language = "en", **about: Any) -> bytes:
    parts = [partial(lines_of, export) for export in exports]
    return b"".join(archive({**ABOUT, **about}, parts, ring, language))


def page_of(content: bytes) -> str:
    return files_of(content)["index.html"].decode()


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_a_person_reads_what_is_held_why_and_who_got_it() -> None:
    page = page_of(made(export({"email": "ada@example.com"})))

    for words in (
        "ada@example.com",
        "the person",
        "delivery",
        "carriers",
        "ad networks",
        "1798.140(v)(1)(A)",
    ):
        assert words in page


def test_what_may_not_be_shown_is_described_on_the_page() -> None:
    assert "a social security number is held" in page_of(made(export({"email": "ada@example.com"})))


def test_values_are_text_on_the_page_and_never_markup() -> None:
    page = page_of(made(export({"email": "<script>alert(1)</script>"})))

    assert Elements(page).all("script") == []
    assert "&lt;script&gt;" in page


def test_the_page_loads_nothing_from_anywhere() -> None:
    elements = Elements(page_of(made(export({"email": "ada@example.com"}))))

    addresses = [
        value
        for _, attributes in elements.found
        for name, value in attributes.items()
        if name in {"src", "href"}
    ]
    assert addresses
    assert not [address for address in addresses if address is None or "//" in address]


def test_the_page_can_be_heard_and_read_on_a_telephone() -> None:
    elements = Elements(page_of(made(export({"email": "ada@example.com"}))))

    assert elements.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in elements.all("meta")
    assert elements.all("main")
    assert elements.all("caption")
    assert all(heading.get("scope") in {"col", "row", "colgroup"} for heading in elements.all("th"))


def test_of_very_many_rows_the_page_shows_the_first_and_names_the_file_with_all() -> None:
    rows = [{"email": f"ada+{number}@example.com"} for number in range(ROWS_SHOWN + 1)]

    files = files_of(made(export(*rows)))

    page = files["index.html"].decode()
    assert page.count('<td data-label="Email">') == ROWS_SHOWN
    assert f"The first {ROWS_SHOWN} are here, all are in" in page
    assert "data/crm/people.csv" in page
    assert len(files["data/crm/people.csv"].splitlines()) == len(rows) + 1


def test_a_table_that_nobody_would_read_whole_stands_in_files_of_its_own_alone() -> None:
    rows = [{"email": f"ada+{number}@example.com"} for number in range(ROWS_KEPT + 1)]

    files = files_of(made(export(*rows)))

    [data] = json.loads(files["answer.json"])["systems"][0]["datasets"]
    assert data["columns_by_category"] == {"identifiers": ["email"]}
    assert (data["count"], data["files"]) == (len(rows), ["data/crm/people.csv", "data/crm/people.jsonl"])
    assert [json.loads(line) for line in files["data/crm/people.jsonl"].splitlines()] == rows
    assert len(files["data/crm/people.csv"].splitlines()) == len(rows) + 1


def test_the_page_says_what_each_system_holds_by_category_and_why() -> None:
    page = page_of(made(export({"email": "ada@example.com", "shoe_size": "39"})))

    assert '<th scope="colgroup" colspan="1">Identifiers (Civ. Code 1798.140(v)(1)(A))</th>' in page
    assert '<th scope="colgroup" colspan="1">Other information</th>' in page
    assert '<td data-label="Used for">delivery</td>' in page
    assert '<td data-label="Sold or shared with">ad networks</td>' in page


def test_the_page_says_which_days_it_covers() -> None:
    assert "from June 1, 2024 on" in page_of(made(export(), covers={"first": "2024-06-01", "last": None}))
    both = {"first": "2024-06-01", "last": "2024-12-31"}
    assert "from June 1, 2024 to December 31, 2024" in page_of(made(export(), covers=both))


def test_who_asked_in_spanish_reads_spanish() -> None:
    page = page_of(made(export({"email": "ada@example.com"}), language="es"))

    for words in ('<html lang="es">', "Su información personal en Cascadia", "Identificadores", "Vendida"):
        assert words in page
    assert "tenemos un número de Seguro Social" in page
    assert "You" not in page


SPANISH = {
    "crm": "Clientes",
    "the person": "la propia persona",
    "delivery": "entregas",
    "carriers": "transportistas",
    "ad networks": "redes publicitarias",
    "people": "Personas",
    "email": "Correo electrónico",
}


def spoken(words: dict[str, str]) -> str:
    """The Spanish page of a system whose map has these words."""
    lines = [*lines_of(export({"email": "ada@example.com", "full_name": "Ada"}))]
    lines[-1] = {**lines[-1], "title": "crm", "words": {"es": words}}
    return page_of(b"".join(archive(ABOUT, [partial(iter, lines)], RING, "es")))


def test_what_the_map_says_is_said_in_the_persons_language_where_the_map_has_words() -> None:
    page = spoken(SPANISH)

    for words in SPANISH.values():
        assert words in page
    for words in ("the person", "delivery", "carriers", "ad networks", "en inglés"):
        assert words not in page


def test_where_the_map_lacks_a_word_it_stays_as_it_is_and_the_page_says_so() -> None:
    page = spoken({name: words for name, words in SPANISH.items() if name != "delivery"})

    assert "delivery" in page
    assert "Algunos nombres y fines están en inglés" in page


def test_names_of_tables_and_columns_are_written_as_people_write() -> None:
    row = {"full_name": "Ada", "vin": "4T1", "customer_id": "C-1", "shipToCode": "x"}

    page = page_of(made(export(row, table="service_visits")))

    for words in ("Service visits", "Full name", "VIN", "Customer ID", "shipToCode"):
        assert f">{words}<" in page


def test_the_page_begins_with_the_answer_in_a_few_numbers() -> None:
    page = page_of(made(export({"email": "ada@example.com"}, {"email": "ada@example.org"})))

    for words in ("<strong>2</strong> records about you", "<strong>1</strong> kind of information"):
        assert words in page
    assert "Some of it was sold, or shared for advertising" in page


def test_both_languages_have_words_for_everything() -> None:
    english, spanish = words_of("en"), words_of("es")

    assert english.page.keys() == spanish.page.keys()
    assert english.kinds.keys() == spanish.kinds.keys() == set(get_args(WithheldKind))
    assert set(WORDS) < set(spanish.categories)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(text: str) -> None:
    files = files_of(made(export({"email": text})))

    [_, [value]] = list(csv.reader(io.StringIO(files["data/crm/people.csv"].decode(), newline="")))
    assert value == f"'{text}"


def test_numbers_stay_numbers_and_nothing_stays_empty() -> None:
    files = files_of(made(export({"balance": -5, "email": None})))

    assert files["data/crm/people.csv"].splitlines()[1] == b"-5,"


def test_names_of_systems_cannot_lead_out_of_the_archive() -> None:
    files = files_of(made(export({"email": "x"}, system="../../etc", table="a/b")))

    assert "data/1-______etc/1-a_b.csv" in files


def test_the_same_answer_is_the_same_archive() -> None:
    assert made(export({"email": "ada@example.com"})) == made(export({"email": "ada@example.com"}))


class Received:
    """An archive and the keys on a person's machine."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        init_keys(folder / "keys")
        self.file = folder / "answer.zip"
        self.content = made(export({"email": "ada@example.com"}), ring=KeyFiles(folder / "keys").answers())
        self.file.write_bytes(self.content)

    def write(self, files: dict[str, bytes]) -> None:
        with ZipFile(self.file, "w") as changed:
            for name, content in files.items():
                changed.writestr(name, content)

    def verdict(self) -> tuple[int, dict[str, Any]]:
        command = ["package", "verify", str(self.file), "--home", str(self.home), "--json"]
        result = CliRunner().invoke(app, command)
        return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def archived(tmp_path: Path) -> Received:
    return Received(tmp_path)


def test_an_archive_as_it_was_made_is_genuine(archived: Received) -> None:
    code, said = archived.verdict()

    assert (code, said["genuine"], said["request_id"]) == (0, True, ABOUT["request_id"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer.json": b"{}"}, ("changed", ["answer.json"])),
        ({"manifest.json": b"{}"}, ("changed", ["manifest.json"])),
        ({"extra.txt": b"x"}, ("added", ["extra.txt"])),
    ],
)
def test_a_changed_or_added_file_is_named(
    archived: Received, change: dict[str, bytes], said: tuple[str, list[str]]
) -> None:
    archived.write({**files_of(archived.content), **change})

    code, verdict = archived.verdict()

    assert (code, verdict["genuine"], verdict[said[0]]) == (1, False, said[1])


def test_an_archive_whose_bytes_were_damaged_on_the_way_is_told_in_a_sentence(archived: Received) -> None:
    content = bytearray(archived.content)
    for offset in range(60, 120):
        content[offset] ^= 0xFF
    archived.file.write_bytes(bytes(content))

    code, verdict = archived.verdict()

    assert (code, verdict["genuine"], verdict["reason"]) == (1, False, "form")


def test_a_missing_file_is_named(archived: Received) -> None:
    files = files_of(archived.content)
    del files["data/crm/people.csv"]
    archived.write(files)

    code, verdict = archived.verdict()

    assert (code, verdict["missing"]) == (1, ["data/crm/people.csv"])


def test_a_list_that_somebody_else_signed_proves_nothing(archived: Received) -> None:
    archived.file.write_bytes(made(export({"email": "ada@example.com"})))

    code, verdict = archived.verdict()

    assert (code, verdict["reason"]) == (1, "unknown_key")


@pytest.mark.parametrize(
    "at", ["2026-02-03 soon", "2026-02-30T19:00:00+00:00", "2026-02-03T19:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_an_answer_whose_signed_time_is_no_time_is_told_in_a_sentence(archived: Received, at: str) -> None:
    ring = KeyFiles(archived.home / "keys").answers()
    archived.file.write_bytes(made(export({"email": "ada@example.com"}), ring=ring, composed_at=at))

    told = CliRunner().invoke(app, ["package", "verify", str(archived.file), "--home", str(archived.home)])

    assert (told.exit_code, told.stdout) == (1, "Not an answer: what was signed as its time is no time.\n")
    assert archived.verdict()[1]["reason"] == "time"


def test_what_is_no_archive_is_told_and_what_is_not_there_is_exit_2(archived: Received) -> None:
    archived.file.write_bytes(b"no archive")
    assert archived.verdict()[0] == 1

    archived.file.unlink()
    result = CliRunner().invoke(app, ["package", "verify", str(archived.file), "--home", str(archived.home)])

    assert result.exit_code == 2
    assert "name the archive" in result.stderr
