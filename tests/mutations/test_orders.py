"""A case that depends on the order in which it heard is found by telling the same story in other orders."""

from typing import Any
from unittest import mock

from services.deadline.domain import hearing
from shared.events.fulfillment import RequestFulfilled
from tests.simulation.permuted import told_in_the_orders


def _ground_needs_verification(case: Any, message: Any) -> Any:
    """The bug: why a request ended is kept only if verification was heard of before."""
    heard = hearing._fulfilled(case, message)  # noqa: SLF001 - a bug in it
    if case.verification is not None or heard.ending is None:
        return heard
    return heard.model_copy(update={"ending": heard.ending.model_copy(update={"ground": None})})


def test_what_is_kept_only_in_one_order_shows_in_another() -> None:
    with mock.patch.dict(hearing.LIFECYCLE, {RequestFulfilled: _ground_needs_verification}):
        first, *others = told_in_the_orders(range(8))

    assert any(other.cases() != first.cases() for other in others)
