"""Names of rights: canonical ones, two aliases, and a refusal that lists them."""

import pytest

from shared.policy import Right, UnknownRightError, parse_right


@pytest.mark.parametrize("right", Right)
def test_every_right_is_read_by_its_own_name(right: Right) -> None:
    assert parse_right(right.value) is right


@pytest.mark.parametrize("alias", ["know", "access"])
def test_know_and_access_mean_the_specific_pieces(alias: str) -> None:
    assert parse_right(alias) is Right.KNOW_SPECIFIC


@pytest.mark.parametrize("text", ["", "erase", "Delete", " delete", "delete ", "know-specific"])
def test_any_other_word_is_refused_with_the_list(text: str) -> None:
    with pytest.raises(UnknownRightError, match="know_categories, know_specific, delete"):
        parse_right(text)


def test_the_refusal_does_not_repeat_what_was_said() -> None:
    with pytest.raises(UnknownRightError) as refused:
        parse_right("ada@example.com")

    assert "ada" not in str(refused.value)
