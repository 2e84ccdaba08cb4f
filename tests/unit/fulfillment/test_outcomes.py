"""Outcomes and frozen sets survive storage, and nothing of them tells who the person is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.ports import (
    Ambiguous,
    DatasetCount,
    Done,
    Frozen,
    NeedsPerson,
    Nothing,
    Outcome,
    Receipt,
    Retained,
    Retry,
    Subject,
    outcome_from_json,
    outcome_to_json,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECEIPT = Receipt(
    "shop", (DatasetCount("people", erased=2, retained=(Retained("legal_obligation", 1),)),), AT, AT
)


@pytest.mark.parametrize(
    "outcome",
    [
        Done(RECEIPT.sealed()),
        Nothing("no row is held"),
        Retry(timedelta(seconds=30), "away"),
        NeedsPerson("schema", "people is missing"),
        Ambiguous("the answer was lost"),
    ],
)
def test_every_outcome_comes_back_from_storage_as_it_was(outcome: Outcome) -> None:
    assert outcome_from_json(outcome_to_json(outcome)) == outcome


def test_what_is_no_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="not an outcome: 'fine'"):
        outcome_from_json({"outcome": "fine"})


def test_a_receipts_digest_covers_all_of_it() -> None:
    sealed = RECEIPT.sealed()

    assert sealed.is_intact()
    assert not RECEIPT.is_intact()
    assert Receipt.from_json({**sealed.to_json(), "system": "other"}).is_intact() is False


def test_a_subject_shows_what_kinds_of_seeds_it_has_and_no_value() -> None:
    assert repr(Subject({"phone": "555", "email": "a@example.com"})) == "Subject(email, phone)"


KEYS = st.lists(st.tuples(st.integers(-5, 5) | st.text(max_size=3)), max_size=5)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), KEYS))
def test_a_frozen_sets_digest_does_not_depend_on_the_order_in_which_rows_were_found(
    tables: dict[str, list[tuple[int | str]]],
) -> None:
    frozen = Frozen({name: tuple(keys) for name, keys in tables.items()})
    shuffled = Frozen({name: tuple(reversed(keys)) for name, keys in reversed(tables.items())})

    assert frozen.digest() == shuffled.digest() == Frozen.from_json(frozen.to_json()).digest()


def test_a_frozen_set_of_shared_rows_alone_is_not_empty() -> None:
    assert Frozen({"a": ()}).is_empty
    assert not Frozen({}, {"households": ((1,),)}).is_empty
