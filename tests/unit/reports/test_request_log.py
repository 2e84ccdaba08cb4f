"""The log of 11 CCR 7101 and the yearly figures, from facts in any order, however often they are told."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from deploy.reports.book import Book, Chosen
from deploy.reports.forms import (
    Year,
    columns,
    figures_as_csv,
    figures_as_json,
    figures_as_page,
    log_as_csv,
    log_as_json,
    log_as_parquet,
)
from deploy.reports.metrics import KINDS, Figures, Law, figures
from deploy.reports.records import LOG_COLUMNS, RequestRecord
from shared.events.deadline import RequestClosed
from shared.events.fulfillment import Resolution, Retention, SystemOutcome
from shared.events.message import Body
from shared.events.verification import VerificationConcluded
from tests.support import facts
from tests.support.facts import RECEIVED_AT

Stated = tuple[UUID, datetime, Body]
YEAR = Year(year=2026, business="cascadia")
KEPT = SystemOutcome(
    system="dms",
    outcome="done",
    retained=(
        Retention(dataset="invoices", exemption="legal_obligation", count=2),
        Retention(dataset="recalls", exemption="transaction", count=1),
    ),
)


def told(
    right: str = "delete",
    resolution: Resolution = "complete",
    ground: str | None = None,
    days: int = 10,
    **received: Any,
) -> list[Stated]:
    """A request from its receipt to its end, answered so many days later."""
    at = RECEIVED_AT + timedelta(days=days)
    closing = RequestClosed(
        right=right,
        resolution=resolution,
        closed_at=at,
        answered_at=at,
        in_time=True,
        evidence_digest="f" * 64,
        audit_head="a" * 64,
    )
    systems = {"systems": (KEPT,)} if ground == "exemption" else {}
    bodies = [
        (RECEIVED_AT, facts.received(right, **received)),
        (RECEIVED_AT, facts.verified(right)),
        (at, facts.fulfilled(right, resolution, ground=ground, **systems)),
        (at, closing),
    ]
    request_id = uuid4()
    return [(request_id, when, body) for when, body in bodies]


def fold(stated: Iterable[Stated], chosen: Chosen | None = None) -> list[RequestRecord]:
    """The lines of a book that was told this."""
    with TemporaryDirectory() as folder:
        book = Book.open(Path(folder) / "book.sqlite", "here")
        book.write(stated, {})
        try:
            return list(book.lines(chosen))
        finally:
            book.close()


def of(kind: str, *requests: Sequence[Stated], law: Law = Law.ccpa) -> Figures:
    found = figures(fold(one for request in requests for one in request), law)
    return next(one for one in found if one.kind == kind)


def test_a_line_has_the_fields_of_the_regulation_and_names_nobody() -> None:
    [line] = [one.line() for one in fold(told(resolution="denied", ground="identity_not_verified"))]

    assert tuple(line) == LOG_COLUMNS
    del line["request_id"]  # type: ignore[attr-defined] # a mapping only by its declared type
    assert line == {
        "business": "cascadia",
        "date_of_request": date(2026, 2, 2),
        "nature_of_request": "delete",
        "manner_of_request": "web",
        "date_of_response": date(2026, 2, 12),
        "nature_of_response": "denied",
        "basis_for_denial": "identity_not_verified",
    }


def test_the_details_say_what_was_owed_and_how_long_the_line_is_kept() -> None:
    [line] = [one.line(details=True) for one in fold(told())]

    assert tuple(line) == columns(details=True)
    assert (line["answer_by"], line["in_time"], line["state"]) == (date(2026, 3, 19), True, "closed")
    assert (line["last_event"], line["kept_through"]) == (date(2026, 2, 12), date(2028, 2, 12))


def test_a_line_is_kept_for_24_months_from_the_last_event_and_an_open_request_for_ever() -> None:
    [closed] = fold(told())
    [waiting] = fold(told()[:2])

    # The last day in Los Angeles ends at 08:00 UTC of the next.
    assert closed.is_kept(datetime(2028, 2, 13, 7, 59, tzinfo=UTC))
    assert not closed.is_kept(datetime(2028, 2, 13, 8, tzinfo=UTC))
    assert waiting.is_kept(datetime(2040, 1, 1, tzinfo=UTC))


def test_a_partial_denial_names_the_exemptions_that_were_applied() -> None:
    [line] = [one.line() for one in fold(told(resolution="partial", ground="exemption"))]

    assert line["basis_for_denial"] == "exemption: legal_obligation, transaction"


STORIES = [*told(), *told("know_specific", "partial"), *told("opt_out")]


@given(st.permutations([*STORIES, *STORIES]))
def test_the_log_is_the_same_in_whatever_order_and_however_often_it_is_told(stated: list[Stated]) -> None:
    assert fold(stated) == fold(STORIES)


def test_a_request_that_waits_is_open_and_one_without_its_receipt_has_no_line_yet() -> None:
    stated = told()

    [waiting] = fold(stated[:2])

    assert (waiting.state, waiting.responded_on, waiting.days) == ("open", None, None)
    assert fold(stated[1:]) == []


def test_days_are_counted_where_the_regime_counts_them() -> None:
    # 2026-02-02 19:00 UTC is 11:00 in Los Angeles; 12 hours and 30 minutes later it is the same day there.
    assert [one.days for one in fold(told(days=0))] == [0]
    stated = told(days=0)
    request_id, at, closing = stated[-1]
    assert isinstance(closing, RequestClosed)
    late = closing.model_copy(update={"answered_at": RECEIVED_AT + timedelta(hours=12, minutes=30)})
    assert [one.days for one in fold([*stated[:-1], (request_id, at, late)])] == [0]


def test_what_was_done_denied_and_why_is_counted_by_kind() -> None:
    found = of(
        "delete",
        told(days=10),
        told(resolution="partial", days=20),
        told(resolution="nothing_found", days=30),
        told(resolution="denied", ground="identity_not_verified", days=40),
        told(resolution="denied", ground="exemption", days=40),
        told(resolution="denied", ground="not_done", days=40),
        told(resolution="withdrawn", days=1),
        told(resolution="duplicate", days=1),
        told()[:1],
    )

    assert (found.received, found.complied, found.complied_in_part, found.nothing_found) == (9, 3, 1, 1)
    assert (found.denied, found.denied_unverifiable, found.denied_exempt, found.denied_other) == (3, 1, 1, 1)
    assert (found.not_decided, found.open, found.late) == (2, 1, 0)
    assert (found.median_days, found.mean_days) == (35.0, 30.0)


def downgraded(resolution: Resolution = "complete") -> list[Stated]:
    """Somebody asked for a copy, could be verified for the categories alone, and was told those."""
    stated = told("know_specific", resolution)
    concluded = facts.verified("know_categories", conclusion="downgraded", reason="degree_not_reached")
    return [
        (one, at, concluded if isinstance(body, VerificationConcluded) else body) for one, at, body in stated
    ]


def test_a_copy_that_was_refused_for_want_of_proof_is_denied_in_part() -> None:
    [line] = [one.line() for one in fold(downgraded())]
    found = of("know", downgraded(), downgraded("withdrawn"), told("know_specific"))

    assert line["nature_of_response"] == "complete, as know_categories"
    assert line["basis_for_denial"] == "identity_not_verified"
    assert (found.received, found.complied, found.complied_in_part) == (3, 2, 1)
    assert (found.denied_in_part_unverifiable, found.denied, found.not_decided) == (1, 0, 1)


def test_what_a_person_denied_counts_under_its_ground() -> None:
    grounds = ("not_by_the_consumer: no permission came", "suspected_fraud: one of forty the same hour")
    found = of("delete", *(told(resolution="denied", ground=one) for one in grounds))

    assert (found.denied, found.denied_not_by_consumer, found.denied_other) == (2, 1, 1)


# 11 CCR 7102(a)(2) knows four: not verifiable, not made by a consumer, exempt information, other grounds. A third
# request to know within twelve months need not be answered (Civ. Code 1798.130(b)), which is none of the first three.
GOLDEN = {
    "identity_not_verified": ("unverifiable", {}),
    "not_by_the_consumer: no permission came": ("not_by_consumer", {}),
    "exemption": ("exempt", {}),
    "answered_often_enough: two copies since May": ("other", {"answered_often_enough": 1}),
    "suspected_fraud: one of forty the same hour": ("other", {"suspected_fraud": 1}),
    "unfounded_or_excessive: daily for a month": ("other", {"unfounded_or_excessive": 1}),
    "because Ada asked": ("other", {"unnamed": 1}),
}


@pytest.mark.parametrize(("ground", "counted"), GOLDEN.items())
def test_each_denial_counts_under_one_of_the_regulations_four_grounds(
    ground: str, counted: tuple[str, dict[str, int]]
) -> None:
    found = of("know", told("know_specific", "denied", ground=ground))

    numbers = {
        name: getattr(found, f"denied_{name}")
        for name in ("unverifiable", "not_by_consumer", "exempt", "other")
    }
    assert (found.denied, {name for name, number in numbers.items() if number}) == (1, {counted[0]})
    assert found.denied_other_grounds == counted[1]


def test_the_page_says_what_the_other_grounds_were_in_words_of_ours() -> None:
    grounds = ("answered_often_enough: two copies since May", "because Ada asked")
    found = [of("know", *(told("know_specific", "denied", ground=one) for one in grounds))]

    page = figures_as_page(found, Year(year=2026, business="cascadia"))

    assert (
        "denied on other grounds: answered as often as the law asks 1, without a ground that is counted 1."
        in page
    )
    assert "Ada" not in page + figures_as_csv(found)
    assert "answered_often_enough 1; unnamed 1" in figures_as_csv(found)


def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle() -> None:
    found = of("delete", *(told(days=days) for days in (3, 10, 11, 40)))

    assert (found.median_days, found.mean_days) == (10.5, 16.0)


def test_both_rights_to_know_are_one_kind() -> None:
    assert of("know", told("know_specific"), told("know_categories")).received == 2


def test_other_businesses_regimes_and_years_are_left_out() -> None:
    stories = [*told(), *told(business="elsewhere"), *told(regime="eu-gdpr")]
    year = (date(2026, 1, 1), date(2026, 12, 31))

    assert len(fold(stories, Chosen(*year, business="cascadia"))) == 2
    assert len(fold(stories, Chosen(*year, business="cascadia", regime="us-ca-ccpa"))) == 1
    assert fold(stories, Chosen(date(2025, 1, 1), date(2025, 12, 31))) == []


def test_a_data_brokers_figures_tell_the_platform_apart_and_name_the_exemptions() -> None:
    requests = (
        told(regime="us-ca-delete-act"),
        told(regime="us-ca-delete-act", resolution="denied", ground="exemption"),
        told(resolution="partial", ground="exemption"),
    )

    drop, own = (of(kind, *requests, law=Law.delete_act) for kind in ("drop", "delete"))

    assert (drop.received, drop.complied, drop.denied_exempt) == (2, 1, 1)
    assert (own.received, own.complied_in_part, own.denied_in_part_exempt) == (1, 1, 1)
    assert drop.exemptions == {"legal_obligation": 1, "transaction": 1}


def test_the_forms_of_the_log_say_the_same() -> None:
    records = fold([*told(), *told("know_specific", "denied", "exemption")[:3]])
    lines = [one.line() for one in records]
    file = io.BytesIO()

    log_as_parquet(lines, LOG_COLUMNS, file)

    assert parquet.read_table(file).to_pylist() == lines
    in_text = [
        {name: str(value) if value is not None else None for name, value in one.items()} for one in lines
    ]
    assert json.loads("".join(log_as_json(lines))) == in_text
    read = csv.DictReader(io.StringIO("".join(log_as_csv(lines, LOG_COLUMNS))))
    assert [{name: value or None for name, value in one.items()} for one in read] == in_text


def test_an_empty_log_is_still_a_file_of_its_form() -> None:
    file = io.BytesIO()

    log_as_parquet([], LOG_COLUMNS, file)

    assert parquet.read_table(file).column_names == list(LOG_COLUMNS)
    assert json.loads("".join(log_as_json([]))) == []
    assert "".join(log_as_csv([], LOG_COLUMNS)) == ",".join(LOG_COLUMNS) + "\n"


def test_the_forms_of_the_figures_say_the_same() -> None:
    found = figures(fold([*told(), *told("know_specific")]))

    received = [one["received"] for one in json.loads(figures_as_json(found, YEAR))["requests"]]
    assert [int(line["received"]) for line in csv.DictReader(io.StringIO(figures_as_csv(found)))] == received
    assert received[:3] == [1, 0, 1]


def test_the_page_names_every_kind_and_escapes_what_it_is_given() -> None:
    page = figures_as_page(figures(fold(told())), Year(year=2026, business="<b>"))

    assert all(kind.title in page for kind in KINDS[Law.ccpa])
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert '<html lang="en">' in page
    assert page.count('scope="row"') == 2 * len(KINDS[Law.ccpa])


def test_a_book_of_another_origin_or_version_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    book = Book.open(path, "here")
    book.write(told(), {("dsar.received", 0): 4})
    book.close()

    again, elsewhere = Book.open(path, "here"), None
    assert (again.count(), again.places) == (1, {("dsar.received", 0): 4})
    again.close()
    elsewhere = Book.open(path, "elsewhere")
    assert (elsewhere.count(), elsewhere.places) == (0, {})
    elsewhere.close()


def test_two_books_that_were_told_otherwise_name_the_requests(tmp_path: Path) -> None:
    same, changed, alone = told(), told(), told()
    one, other = (Book.open(tmp_path / name, "here") for name in ("one", "other"))
    one.write([*same, *changed, *alone], {})
    other.write([*same, *changed[:2]], {})

    assert set(one.differs_from(other)) == set(other.differs_from(one)) == {changed[0][0], alone[0][0]}
    assert list(one.differs_from(one)) == []
    one.close()
    other.close()
