"""Corrections: which column a person's words name, and what no word of theirs may change by itself."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.fulfillment.datamap.disputes import CannotHoldError, HoldsAnotherError, disputed, put_right
from services.fulfillment.datamap.model import DataMap, MapError
from services.fulfillment.datamap.reading import read_dataset
from shared.privacy.claims import Correction

KEY = {"name": "id", "fides_meta": {"primary_key": True}}
EMAIL = {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}}
PHONE = {"corrected_as": ["phone", "telephone number"], "match": "digits"}


def field(name: str, *words: str, **meta: Any) -> dict[str, Any]:
    return {"name": name, "fides_meta": {**meta, "habeas": {"corrected_as": list(words)}}}


def the_map(*fields: dict[str, Any], **habeas: Any) -> DataMap:
    people = {"name": "people", "fides_meta": {"habeas": habeas}, "fields": [KEY, EMAIL, *fields]}
    other = {"name": "leads", "fields": [{**KEY}, field("mobile", "phone")]}
    return read_dataset({"fides_key": "crm", "collections": [people, other]}, file="crm.yaml")


def wrong(what: str, should_be: str = "new", **more: str) -> Correction:
    return Correction(what=what, should_be=should_be, **more)


CRM = the_map(field("phone", "phone", "telephone number"), field("city", "town", length=5))


@pytest.mark.parametrize("words", ["phone", "Phone", " telephone  number ", "TELEPHONE_NUMBER"])
def test_a_column_is_found_by_what_people_call_it_wherever_it_is_held(words: str) -> None:
    found = disputed(CRM, [wrong(words)])

    assert isinstance(found, dict)
    assert {name: one.should_be for name, one in found["people"].items()} == {"phone": "new"}
    assert ("mobile" in found.get("leads", {})) == ("phone" in words.lower().strip()[:5])


@pytest.mark.parametrize(
    ("corrections", "said"),
    [
        ([], "does not say what is wrong"),
        ([wrong("phone"), wrong("shoe size")], "1 of 2 corrections name nothing"),
        ([wrong("email")], "1 of 1 corrections name nothing"),
        ([wrong("town", "Sacramento")], "1 of 1 corrections name nothing"),
        ([wrong("phone", "1"), wrong("telephone number", "2")], "name the same column"),
        ([wrong("phone", "1", is_now="3"), wrong("telephone number", "1")], "name the same column"),
        ([wrong("phone", statement="It never was.")], "a statement of dispute"),
    ],
)
def test_whatever_is_not_plain_is_a_persons_and_nobody_is_quoted(
    corrections: list[Correction], said: str
) -> None:
    found = disputed(CRM, corrections)

    assert isinstance(found, str)
    assert said in found
    assert not any(one.what in found or one.should_be in found for one in corrections if one.what != "phone")


def test_a_number_that_is_only_written_in_another_way_is_right_and_nothing_is_collected_anew() -> None:
    dialed = the_map({"name": "phone", "fides_meta": {"habeas": PHONE}}).collections["people"].fields["phone"]
    plain = CRM.collections["people"].fields["phone"]

    said = wrong("phone", "415 555 9317")

    assert put_right(dialed, "+1 (415) 555-9317", said) is None
    assert put_right(plain, "+1 (415) 555-9317", said) == "415 555 9317"
    assert put_right(plain, None, said) is None
    assert put_right(plain, "", said) is None


def test_of_a_disputed_value_only_that_one_is_wrong_and_another_is_a_persons_to_look_at() -> None:
    plain, said = CRM.collections["people"].fields["phone"], wrong("phone", "2", is_now="1")

    assert put_right(plain, "1", said) == "2"
    assert put_right(plain, "2", said) is None
    with pytest.raises(HoldsAnotherError) as refused:
        put_right(plain, "31337", said)
    assert "31337" not in str(refused.value)


@pytest.mark.parametrize(
    ("held", "right"),
    [
        (date(1990, 1, 2), date(1990, 2, 1)),
        (7, 12),
        (7.5, 12.25),
        (Decimal("7.50"), Decimal("12.25")),
        (False, True),
        (UUID(int=1), UUID(int=2)),
    ],
)
def test_what_it_should_be_becomes_a_value_of_the_kind_that_stands_there(held: Any, right: Any) -> None:
    plain = CRM.collections["people"].fields["phone"]

    found = put_right(plain, held, wrong("phone", str(right), is_now=str(held)))

    assert found == right
    assert type(found) is type(held)
    with pytest.raises(CannotHoldError) as refused:
        put_right(plain, held, wrong("phone", "secret"))
    assert "secret" not in str(refused.value)


def test_the_same_number_or_date_in_another_spelling_is_right() -> None:
    plain = CRM.collections["people"].fields["phone"]

    assert put_right(plain, Decimal("12.50"), wrong("phone", "12.5")) is None
    assert put_right(plain, date(1990, 2, 1), wrong("phone", "19900201")) is None


def test_where_one_of_the_columns_is_too_short_none_is_set() -> None:
    narrow = the_map(field("phone", "phone", length=3))

    assert disputed(narrow, [wrong("phone", "12")]) == {
        "people": {"phone": wrong("phone", "12")},
        "leads": {"mobile": wrong("phone", "12")},
    }
    assert isinstance(disputed(narrow, [wrong("phone", "1234")]), str)


@pytest.mark.parametrize(
    ("fields", "habeas", "said"),
    [
        ([field("phone", "email", identity="phone")], {}, "a person weighs such a change"),
        ([field("phone", "phone", read_only=True)], {}, "read-only"),
        ([field("phone", "phone")], {"opt_out": {"field": "phone"}}, "bounds or flags the row"),
        ([field("phone", "phone")], {"created_at": "phone"}, "bounds or flags the row"),
        ([{**field("number", "number"), "data_categories": ["user.financial.bank_account"]}], {}, "never shown"),
        ([field("phone", "phone"), field("mobile", "Phone")], {}, "'phone' names two columns"),
        ([field("lead", "lead", references=[{"dataset": "crm", "field": "leads.id"}])], {}, "somebody else's"),
        ([{"name": "phone", "fides_meta": {"habeas": {"corrected_as": ["phone"], "match": "sha256"}}}], {}, "a digest"),
    ],
)  # fmt: skip
def test_a_map_that_would_change_what_it_must_not_is_refused(
    fields: list[dict[str, Any]], habeas: dict[str, Any], said: str
) -> None:
    with pytest.raises(MapError) as refused:
        the_map(*fields, **habeas)

    assert said in str(refused.value)
