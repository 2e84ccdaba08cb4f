"""Whatever is handed in becomes one normal form, or problems that name a field and a remedy and no input."""

import json
from dataclasses import astuple
from datetime import date
from typing import Any

import pytest

from services.intake.submission import Problem, Submission
from shared.privacy import Claims, HmacKeyring, Secret
from tests.support.front_desk import CLAIMS, PERSON, desk, submission, upstream_submission


def problems(content: bytes) -> tuple[Problem, ...]:
    found = desk().read(content)
    assert isinstance(found, tuple)
    return found


def wrong(**more: Any) -> tuple[Problem, ...]:
    return problems(json.dumps({**PERSON, **more}).encode())


def test_identifiers_take_one_normal_form_however_they_were_typed() -> None:
    first = submission(email=" Ada@EXAMPLE.com", phone="415-555-2671", name="Ada\u00a0 Lovelace")
    second = submission(email="ada@example.com", phone="+1 (415) 555 2671", name=" Ada Lovelace ")

    assert first.claims == second.claims
    assert first.claims == Claims(name="Ada Lovelace", email="ada@example.com", phone="+14155552671")
    assert first.fingerprints == second.fingerprints


def test_7023_f_a_statement_of_dispute_has_at_most_250_words() -> None:
    disputed = {"what": "blood type", "should_be": "0-", "evidence": "a card", "statement": "word " * 250}

    found = submission(right="correct", corrections=[disputed])
    [problem] = wrong(right="correct", corrections=[{**disputed, "statement": "word " * 251}])

    assert found.claims.corrections is not None
    assert found.claims.corrections[0].evidence == "a card"
    assert (problem.reason, problem.field) == ("unusable", "corrections")
    assert problem.remedy == "give a statement of at most 250 words on each thing"


@pytest.mark.parametrize("confirmed", [{}, {"confirmed": False}])
def test_7028_an_opt_in_is_taken_only_once_the_person_has_confirmed_it_separately(
    confirmed: dict[str, bool],
) -> None:
    [problem] = wrong(right="opt_in", **confirmed)

    assert (problem.reason, problem.field) == ("not_confirmed", "confirmed")
    assert "ask the person a second time" in problem.remedy
    assert submission(right="opt_in", confirmed=True).right == "opt_in"


@pytest.mark.parametrize("right", ["opt_out", "delete"])
def test_nothing_but_an_opt_in_is_asked_for_twice(right: str) -> None:
    [problem] = wrong(right=right, confirmed=True)

    assert (problem.reason, problem.field) == ("not_for_this_right", "confirmed")


@pytest.mark.parametrize("alias", ["know", "access", "know_specific"])
def test_aliases_mean_the_canonical_right(alias: str) -> None:
    assert submission(right=alias).right == "know_specific"


def test_residency_selects_the_regime_and_a_business_is_the_default_unless_named() -> None:
    assert (submission().regime, submission().business) == ("us-ca-ccpa", "cascadia")
    assert submission(business="rainier").business == "rainier"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"right": "erase_everything"}, "right", "unknown_right"),
        ({"right": 7}, "right", "wrong_type_or_form"),
        ({"right": None}, "right", "wrong_type_or_form"),
        ({"residency": "US-XX"}, "residency", "unknown_residency"),
        ({"residency": "us-ca"}, "residency", "unknown_residency"),
        ({"business": "somebody-else"}, "business", "unknown_business"),
        ({"email": "nobody"}, "email", "unusable"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email", "unusable"),
        ({"email": "two@a.example, three@b.example"}, "email", "unusable"),
        ({"email": ""}, "email", "wrong_type_or_form"),
        ({"email": None}, "email", "missing"),
        ({"email": ["a@b.example"]}, "email", "wrong_type_or_form"),
        ({"email": "a" * 250 + "@b.example"}, "email", "wrong_type_or_form"),
        ({"phone": "+1 202"}, "phone", "unusable"),
        ({"phone": 4155552671}, "phone", "wrong_type_or_form"),
        ({"name": "Ada\x00Lovelace"}, "name", "unusable"),
        ({"name": "   "}, "name", "unusable"),
        ({"name": {"first": "Ada"}}, "name", "wrong_type_or_form"),
        ({"requester": "neighbor"}, "requester", "wrong_type_or_form"),
        ({"channel": "smoke signals"}, "channel", "wrong_type_or_form"),
        ({"assertion": "not a token"}, "assertion", "wrong_type_or_form"),
        ({"collected_from": "2024-05-01"}, "collected_from", "not_for_this_right"),
        ({"right": "know", "collected_from": "yesterday"}, "collected_from", "wrong_type_or_form"),
        ({"right": "know", "collected_from": "2021-12-31"}, "collected_from", "too_early"),
        (
            {"right": "know", "collected_from": "2024-05-01", "collected_to": "2024-04-30"},
            "collected_to",
            "wrong_order",
        ),
    ],
)
def test_what_is_wrong_names_its_field(change: dict[str, Any], field: str, reason: str) -> None:
    assert (field, reason) in {(one.field, one.reason) for one in wrong(**change)}


def test_everything_that_is_wrong_is_told_at_once_with_a_remedy() -> None:
    found = wrong(email="nobody", phone="1", right="vanish")

    assert {one.field for one in found} == {"email", "phone", "right"}
    assert all(len(one.remedy) > 10 for one in found)


@pytest.mark.parametrize(
    "change",
    [
        {"canary@leak.example": "canary"},
        {"email": "canary@@leak.example"},
        {"phone": "canary"},
        {"right": "canary"},
        {"residency": "canary"},
        {"business": "canary"},
        {"name": "canary\x07"},
        {"requester": "canary"},
        {"collected_from": "canary"},
    ],
)
def test_no_problem_repeats_what_was_sent(change: dict[str, Any]) -> None:
    found = wrong(**change)

    assert "canary" not in repr([astuple(one) for one in found])


def test_an_unknown_field_is_refused_with_the_known_ones() -> None:
    [found] = wrong(e_mail="x")

    assert (found.reason, found.field) == ("unknown_field", None)
    assert "email" in found.remedy


@pytest.mark.parametrize("content", [b"", b"{", b"right=delete", b'{"right": "\xff"}', b"[" * 5000, b"NaN"])
def test_what_is_no_json_is_told_so(content: bytes) -> None:
    assert [one.reason for one in problems(content)] in (["not_json"], ["not_an_object"])


@pytest.mark.parametrize("content", [b"[]", b'"delete"', b"7", b"null"])
def test_a_document_that_is_no_object_is_told_so(content: bytes) -> None:
    assert [one.reason for one in problems(content)] == ["not_an_object"]


def test_an_address_may_be_missing_only_where_somebody_else_can_be_asked() -> None:
    by_phone = {"channel": "phone", "email": None}

    assert [one.field for one in wrong(email=None, phone="415-555-2671")] == ["email"]
    assert submission(**by_phone, phone="415-555-2671").claims.email is None
    assert submission(**by_phone, device_id=" cookie-1 ").claims.device_id == "cookie-1"
    assert [one.field for one in wrong(**by_phone)] == ["email"]


@pytest.mark.parametrize("missing", ["received_at", "channel", "right", "residency"])
def test_an_upstream_system_says_when_and_how_the_request_reached_it(missing: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != missing}

    found = desk().read_upstream(json.dumps(claims).encode(), "")

    assert isinstance(found, tuple)
    assert [(one.field, one.reason) for one in found] == [(missing, "missing")]


def test_a_time_without_its_offset_is_refused() -> None:
    claims = json.dumps({**CLAIMS, "received_at": "2026-02-02T10:00:00"}).encode()

    found = desk().read_upstream(claims, "")

    assert isinstance(found, tuple)
    assert [one.field for one in found] == ["received_at"]
    assert "offset" in found[0].remedy


def test_a_caller_over_http_does_not_choose_when_it_was_received() -> None:
    assert [one.reason for one in wrong(received_at="2026-01-01T00:00:00Z")] == ["unknown_field"]


def test_the_envelope_names_the_business_and_the_claims_may_too() -> None:
    content = json.dumps(CLAIMS).encode()

    by_envelope = desk().read_upstream(content, "rainier")
    by_claims = desk().read_upstream(json.dumps({**CLAIMS, "business": "rainier"}).encode(), "cascadia")

    assert isinstance(by_envelope, Submission)
    assert isinstance(by_claims, tuple)
    assert [one.reason for one in by_claims] == ["two_businesses"]
    assert by_envelope.business == "rainier"


def test_days_are_read_as_days() -> None:
    found = submission(right="know", collected_from="2024-05-01", collected_to="2024-12-31")

    assert (found.claims.collected_from, found.claims.collected_to) == (date(2024, 5, 1), date(2024, 12, 31))


@pytest.mark.parametrize(
    "change",
    [{"email": "eve@example.com"}, {"right": "know"}, {"assertion": "a.b.c"}, {"business": "rainier"}],
)
def test_another_content_has_another_fingerprint(change: dict[str, Any]) -> None:
    assert set(submission(**change).fingerprints).isdisjoint(submission().fingerprints)


def test_a_fingerprint_is_keyed_and_outlives_a_rotation() -> None:
    rotated = HmacKeyring("2", {"1": Secret(b"k" * 32), "2": Secret(b"n" * 32)})
    reading = desk()

    after = type(reading)(reading.businesses, reading.default, rotated).read(json.dumps(PERSON).encode())

    assert isinstance(after, Submission)
    assert submission().fingerprints[0] in after.fingerprints
    assert after.fingerprints[0].startswith("2:")


def test_nobody_shows_in_the_repr_of_a_submission() -> None:
    for found in (submission(name="Ada"), upstream_submission(name="Ada")):
        assert "ada" not in repr(found).lower() + str(found).lower()
        assert "ada" not in f"{found.claims!r} {found.claims}".lower()
