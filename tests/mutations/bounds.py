"""Bugs put into what bounds a correction or a search for many: the contract suite of all adapters must find them.

Each takes one condition away, and names the test that must fail without it; none edits a file.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from services.fulfillment.adapters.sql import correcting
from services.fulfillment.rowwise.rows import RowShape
from services.fulfillment.rowwise.wanted import Asked, Askers
from tests.contracts.adapters import test_any_correction as on_corrections
from tests.contracts.adapters import test_any_found_together as on_many
from tests.contracts.adapters import test_sql_corrections as on_sql
from tests.mutations.seeding import Layer
from tests.support.shop import Shop


@dataclass(frozen=True)
class BoundsMutation:
    """A bug, the test that must catch it, and in which kind of shop."""

    name: str
    caught_by: Callable[[Shop], Awaitable[None]]
    kind: str
    target: Any
    attribute: str
    made: Callable[[Any], Any]
    layers: tuple[Layer, ...] = ("adapter contract",)


def _unbounded(_original: object) -> Callable[..., Any]:
    return lambda *_: sa.true()


def _spelt_as_the_first(original: Callable[..., None]) -> Callable[..., None]:
    def asked_alike(askers: Askers, asked: Sequence[Asked]) -> None:
        first = {one.wanted.columns: one.wanted.match for one in reversed(asked)}
        same = [replace(one, wanted=replace(one.wanted, match=first[one.wanted.columns])) for one in asked]
        original(askers, same)

    return asked_alike


_NEWER = on_corrections.test_a_row_that_is_newer_than_the_cut_off_is_not_corrected_though_its_id_was_frozen
_TRIGGER = on_sql.test_what_the_database_itself_set_after_it_was_read_is_not_overwritten
_SPELLING = on_many.test_a_column_that_one_asks_by_any_spelling_and_another_by_one_is_not_asked_as_one

BOUNDS = (
    BoundsMutation("a newer row is corrected", _NEWER, "sqlite", correcting, "until", _unbounded),
    BoundsMutation(
        "what was changed since it was read is overwritten",
        _TRIGGER,
        "sqlite",
        correcting,
        "among",
        _unbounded,
    ),
    BoundsMutation(
        "another business's rows are found",
        on_many.test_rows_that_the_map_says_are_anothers_are_found_for_nobody,
        "jsonl",
        RowShape,
        "owned",
        lambda _: lambda *_: True,
    ),
    BoundsMutation(
        "a newer row is found and shown",
        on_many.test_among_many_each_is_bound_by_a_cut_off_of_their_own_and_gets_their_own,
        "jsonl",
        RowShape,
        "until",
        lambda _: lambda *_: True,
    ),
    BoundsMutation(
        "one's address is compared as another's is",
        _SPELLING,
        "jsonl",
        Askers,
        "__init__",
        _spelt_as_the_first,
    ),
)
