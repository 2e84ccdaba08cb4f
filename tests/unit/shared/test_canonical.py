import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import Json, canonical_json

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_comes_back_and_gives_the_same_bytes_again(value: Json) -> None:
    try:
        once = canonical_json(value)
    except UnicodeEncodeError:
        return

    assert json.loads(once) == value
    assert canonical_json(json.loads(once)) == once


def test_the_order_of_keys_does_not_matter_and_no_space_is_wasted() -> None:
    assert canonical_json({"b": 1, "a": ["é", None, True]}) == '{"a":["é",null,true],"b":1}'.encode()


@pytest.mark.parametrize("value", [0.5, {"a": [1.0]}, {"a": {1, 2}}, b"x"])
def test_what_has_no_one_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)  # type: ignore[arg-type]
