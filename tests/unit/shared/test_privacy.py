import pickle
from uuid import UUID, uuid4

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.privacy import (
    HmacKeyring,
    InvalidIdentifier,
    SealedField,
    SealedText,
    Secret,
    check_request_secret,
    lookup_hash,
    lookup_hashes,
    normalise_email,
    normalise_phone,
    request_secret,
    same_secret,
)

REQUEST = UUID("0198c0de-0000-7000-8000-000000000001")


def a_keyring(*versions: str) -> HmacKeyring:
    return HmacKeyring(versions[-1], {one: Secret(one.encode() * 16) for one in versions})


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("Ann.Lee@Example.COM", "ann.lee@example.com"),
        ("  ann@example.com\n", "ann@example.com"),
        ("ann@bücher.example.com", "ann@xn--bcher-kva.example.com"),
        ("ann+habeas@cascadia.test", "ann+habeas@cascadia.test"),
    ],
)
def test_an_address_has_one_normal_form(typed: str, normal: str) -> None:
    assert normalise_email(typed) == normal
    assert normalise_email(normal) == normal


LABELS = st.text(alphabet="abzXN09.-_+@", max_size=14)
SHORT = "example.com foo.test localhost a.local x.onion b.arpa invalid c.invalid xn--a.com ab--c.com a-.com 1.2.3.4"
DOMAINS = st.sampled_from(
    [*SHORT.split(), "\u017f.com", f"{'x' * 64}.com", f"{'x' * 63}.com", f"{'x.' * 125}com"]
)


@given(st.one_of(LABELS, st.builds("{}@{}".format, LABELS | st.just("x" * 65), LABELS | DOMAINS)))
def test_a_plain_address_is_judged_as_the_library_judges_it(typed: str) -> None:
    try:
        found = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
        expected = f"{found.local_part}@{found.ascii_domain}".lower()
    except EmailNotValidError:
        expected = ""

    try:
        assert normalise_email(typed) == expected
    except InvalidIdentifier:
        assert expected == ""


@pytest.mark.parametrize("typed", ["", "ann", "ann@", "ann@localhost", "a b@example.com", "ann@x.invalid"])
def test_a_text_that_is_no_address_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(InvalidIdentifier) as refused:
        normalise_email(typed, "claims.email")

    assert refused.value.field == "claims.email"
    assert not typed or typed not in str(refused.value)
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("(202) 555-0123", "+12025550123"),
        ("+1 202 555 0123", "+12025550123"),
        ("1-202-555-0123", "+12025550123"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_a_number_has_one_normal_form(typed: str, normal: str) -> None:
    assert normalise_phone(typed) == normal
    assert normalise_phone(normal) == normal


@pytest.mark.parametrize("typed", ["", "777", "call me", "+1 303 444", "777-0199", "9" * 300])
def test_a_text_that_is_no_number_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(InvalidIdentifier) as refused:
        normalise_phone(typed)

    assert refused.value.field == "phone"
    assert not typed or typed not in str(refused.value)
    assert refused.value.__context__ is None


def test_a_lookup_hash_names_its_key_version_and_hides_the_value() -> None:
    found = lookup_hash(a_keyring("1", "2"), "email", "ann@example.com")

    version, _, digest = found.partition(":")
    assert version == "2"
    assert len(digest) == 64
    assert "ann" not in found


def test_equal_texts_of_two_kinds_never_meet() -> None:
    keyring = a_keyring("1")

    assert lookup_hash(keyring, "email", "x") != lookup_hash(keyring, "phone", "x")
    assert lookup_hash(keyring, "email", "x") == lookup_hash(keyring, "email", "x")


def test_while_a_key_is_rotated_older_hashes_are_still_found() -> None:
    old = lookup_hash(a_keyring("1"), "email", "ann@example.com")

    found = lookup_hashes(a_keyring("1", "2"), "email", "ann@example.com")

    assert old in found
    assert found[0].startswith("2:")


def test_a_keyring_without_its_primary_version_is_refused() -> None:
    with pytest.raises(ValueError, match="primary"):
        HmacKeyring("2", {"1": Secret(b"x")})


def test_a_request_secret_fits_its_request_only_and_survives_a_rotation() -> None:
    before, after = a_keyring("1"), a_keyring("1", "2")
    secret = request_secret(before, REQUEST).reveal()

    assert secret == request_secret(before, REQUEST).reveal()
    assert check_request_secret(after, REQUEST, secret)
    assert not check_request_secret(after, uuid4(), secret)
    assert not check_request_secret(HmacKeyring("2", {"2": Secret(b"2" * 32)}), REQUEST, secret)


@pytest.mark.parametrize("presented", ["", "1", "1.", "9.abc", ".", "1.\ud800"])
def test_a_wrong_request_secret_is_refused_whatever_it_is(presented: str) -> None:
    assert not check_request_secret(a_keyring("1"), REQUEST, presented)


@given(st.text(), st.text())
def test_secrets_are_the_same_exactly_when_their_texts_are(one: str, other: str) -> None:
    assert same_secret(one, other) == (one == other)


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("ann@example.com")

    assert "ann" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "ann@example.com"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


class _Body(BaseModel):
    claims: SealedText


def test_a_sealed_field_is_marked_for_docs_and_schemas() -> None:
    assert any(isinstance(one, SealedField) for one in _Body.model_fields["claims"].metadata)
    assert _Body.model_json_schema()["properties"]["claims"]["x-habeas-sealed"] is True


@pytest.mark.parametrize("clear", ["ann@example.com", '{"email": 1}', "two words", "a.b.c"])
def test_a_clear_text_does_not_fit_a_sealed_field(clear: str) -> None:
    with pytest.raises(ValidationError):
        _Body(claims=clear)
