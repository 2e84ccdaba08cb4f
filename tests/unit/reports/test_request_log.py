"""The log of 11 CCR 7101 and the figures of 11 CCR 7102, from facts in any order."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from deploy.reports.forms import figures_as_csv, figures_as_json, figures_as_page, log_as_csv, log_as_json
from deploy.reports.metrics import KINDS, Figures, figures
from deploy.reports.records import LOG_COLUMNS, RequestRecord, fold
from shared.events.deadline import RequestClosed
from shared.events.fulfillment import Resolution
from shared.events.message import Body
from tests.support import facts
from tests.support.facts import RECEIVED_AT

Stated = tuple[UUID, Body]


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
    bodies = [
        facts.received(right, **received),
        facts.verified(right),
        facts.fulfilled(right, resolution, ground=ground),
        closing,
    ]
    request_id = uuid4()
    return [(request_id, body) for body in bodies]


def of(kind: str, *requests: Sequence[Stated]) -> Figures:
    found = figures(fold(one for request in requests for one in request), 2026, "cascadia")
    return next(one for one in found if one.kind == kind)


def test_a_line_says_when_how_and_what_and_names_nobody() -> None:
    [line] = [one.line() for one in fold(told(resolution="denied", ground="identity_not_verified"))]

    assert tuple(line) == LOG_COLUMNS
    del line["request_id"]
    assert line == {
        "business": "cascadia",
        "regime": "us-ca-ccpa",
        "received_on": "2026-02-02",
        "nature": "delete",
        "manner": "web",
        "requester": "subject",
        "responded_on": "2026-02-12",
        "response": "denied",
        "basis_for_denial": "identity_not_verified",
        "answer_by": "2026-03-19",
        "extended": False,
        "in_time": True,
        "state": "closed",
    }


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
    request_id, closing = stated[-1]
    assert isinstance(closing, RequestClosed)
    late = closing.model_copy(update={"answered_at": RECEIVED_AT + timedelta(hours=12, minutes=30)})
    assert [one.days for one in fold([*stated[:-1], (request_id, late)])] == [0]


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
    assert (found.denied, found.denied_unverified, found.denied_exempt, found.denied_other) == (3, 1, 1, 1)
    assert (found.not_decided, found.open, found.late) == (2, 1, 0)
    assert (found.median_days, found.mean_days) == (35.0, 30.0)


def test_both_rights_to_know_are_one_kind_and_other_businesses_and_years_are_left_out() -> None:
    requests = (told("know_specific"), told("know_categories"), told("know_specific", business="elsewhere"))

    assert of("know", *requests).received == 2
    assert [one.received for one in figures(fold(told()), 2025, "cascadia")] == [0] * len(KINDS)


def test_the_forms_say_the_same() -> None:
    records: list[RequestRecord] = fold([*told(), *told("know_specific")])
    found = figures(records, 2026, "cascadia")

    [first, *_] = csv.DictReader(io.StringIO(log_as_csv(records)))
    assert first["received_on"] == json.loads(log_as_json(records))[0]["received_on"]
    assert [line["received"] for line in csv.DictReader(io.StringIO(figures_as_csv(found)))][:3] == [
        "1",
        "0",
        "1",
    ]
    assert [one["received"] for one in json.loads(figures_as_json(found, 2026, "cascadia"))["requests"]][
        :3
    ] == [
        1,
        0,
        1,
    ]


def test_the_page_names_every_kind_and_escapes_what_it_is_given() -> None:
    page = figures_as_page(figures(fold(told()), 2026, "cascadia"), 2026, "<b>")

    assert all(title in page for title, _ in KINDS.values())
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert '<html lang="en">' in page
    assert page.count('scope="row"') == 2 * len(KINDS)
