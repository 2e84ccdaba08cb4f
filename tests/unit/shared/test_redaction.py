from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.privacy import REDACTED, looks_personal, redactor

PERSONAL = [
    "ann.lee@example.com",
    "mailto:ann.lee@example.com?x",
    "Ann <ann@example.co.uk>",
    "+1 202 555 0123",
    "(202) 555-0123",
    "202-555-0123",
    "202.555.0123",
    "2025550123",
    "tel:+442079460958",
]
HARMLESS = [
    "request applied",
    "0198c0de-1234-7123-8123-123456789012",
    "01980000-1234-7123-8123-123456789012",
    "12345678-1234-4234-8234-123456789012",
    "2026-01-15T10:00:00-08:00",
    "2026-01-15 10:00:00.123456+00:00",
    "1:" + "ab12" * 16,
    "0" * 64,
    "127.0.0.1:5432",
    "dsar.request.received.v1",
]


@pytest.mark.parametrize("text", PERSONAL)
def test_what_looks_personal_is_hidden_wherever_it_stands(text: str) -> None:
    line = redactor()(None, "info", {"event": f"failed for {text} today", "reason": [text]})

    assert looks_personal(text)
    assert REDACTED in line["event"]
    assert text not in str(line)
    assert REDACTED in line["reason"][0]


@pytest.mark.parametrize("text", HARMLESS)
def test_ids_times_and_digests_are_left_as_they_are(text: str) -> None:
    assert not looks_personal(text)
    assert redactor()(None, "info", {"event": text}) == {"event": text}


def test_only_allowed_keys_are_written_and_the_others_are_named() -> None:
    line = redactor({"mine"})(
        None, "info", {"event": "x", "mine": 1, "name": "Ann Lee", "ann@example.com": 1}
    )

    assert line == {"event": "x", "mine": 1, "dropped": [REDACTED, "name"]}


def test_a_payload_under_an_allowed_key_is_hidden() -> None:
    line = redactor()(None, "info", {"event": "x", "reason": {"email": "ann@example.com"}, "field": object()})

    assert line["reason"] == REDACTED
    assert line["field"] == REDACTED


def test_numbers_ids_and_times_keep_their_types() -> None:
    values = {
        "request_id": uuid4(),
        "count": 2025550123,
        "due_at": datetime(2026, 1, 1, tzinfo=UTC),
        "lag": None,
    }

    assert redactor()(None, "info", values) == values


def test_a_traceback_that_became_text_is_cleaned() -> None:
    line = redactor()(
        None, "error", {"event": "x", "exception": "ValueError: no such person ann@example.com"}
    )

    assert line["exception"] == f"ValueError: no such person {REDACTED}"
