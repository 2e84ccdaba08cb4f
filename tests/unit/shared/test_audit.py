from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit import GENESIS, AuditEntry, AuditHead, AuditRow, Broken, Fact, append, verify_chain

REQUEST = UUID("0198c0de-0000-7000-8000-000000000001")
AT = datetime(2026, 1, 15, 18, tzinfo=UTC)
FACTS = st.dictionaries(
    st.text(max_size=10), st.none() | st.booleans() | st.integers() | st.text(max_size=20), max_size=4
)


def a_chain(length: int) -> list[AuditRow]:
    rows, head = [], GENESIS
    for number in range(length):
        row = append(head, AuditEntry(REQUEST, AT + timedelta(seconds=number), "applied", {"number": number}))
        rows.append(row)
        head = row.head
    return rows


def test_an_untouched_chain_ends_in_its_last_row() -> None:
    rows = a_chain(5)

    assert verify_chain(rows) == rows[-1].head
    assert rows[-1].seq == 5


def test_a_chain_without_rows_ends_where_chains_begin() -> None:
    assert verify_chain([]) == GENESIS


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "refused"},
        {"facts": {"number": 7}},
        {"at": AT},
        {"hash": "0" * 64},
        {"prev": "0" * 64},
    ],
)
def test_a_changed_row_breaks_the_chain_at_that_row(change: dict[str, object]) -> None:
    rows = a_chain(5)
    rows[2] = rows[2]._replace(**change)  # type: ignore[arg-type]

    found = verify_chain(rows)

    assert isinstance(found, Broken)
    assert found.seq == 3


def test_a_missing_a_moved_and_a_foreign_row_break_the_chain() -> None:
    rows = a_chain(5)
    foreign = append(rows[1].head, AuditEntry(uuid4(), AT, "applied"))

    assert verify_chain(rows[:2] + rows[3:]) == Broken(4, "row 3 is missing")
    assert isinstance(verify_chain([rows[1], rows[0]]), Broken)
    assert verify_chain([*rows[:2], foreign]) == Broken(3, "the row belongs to another request")


def test_a_chain_cut_off_at_its_end_has_another_head() -> None:
    rows = a_chain(5)

    assert verify_chain(rows[:4]) != rows[-1].head


def test_the_same_instant_in_another_zone_has_the_same_hash() -> None:
    there = AT.astimezone(timezone(timedelta(hours=-8)))

    assert (
        append(GENESIS, AuditEntry(REQUEST, AT, "x")).hash
        == append(GENESIS, AuditEntry(REQUEST, there, "x")).hash
    )


def test_the_hash_of_a_known_row_never_changes() -> None:
    row = append(
        AuditHead(1, "ab"), AuditEntry(REQUEST, AT, "applied", {"topic": "dsar.received", "sequence": 1})
    )

    assert row.hash == "89e9d0195f4d3a0aaaac5614393e4efe7236db61902eb56f2d755977fc387d75"


def test_a_fact_that_has_no_one_form_is_refused() -> None:
    with pytest.raises(TypeError):
        append(GENESIS, AuditEntry(REQUEST, AT, "x", {"share": 0.5}))  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="zone"):
        append(GENESIS, AuditEntry(REQUEST, AT.replace(tzinfo=None), "x"))


@given(st.lists(FACTS, min_size=1, max_size=5), st.data())
def test_any_chain_verifies_and_any_dropped_row_shows(
    facts: list[dict[str, Fact]], data: st.DataObject
) -> None:
    rows, head = [], GENESIS
    for one in facts:
        rows.append(append(head, AuditEntry(REQUEST, AT, "x", one)))
        head = rows[-1].head
    dropped = data.draw(st.integers(0, len(rows) - 1))

    assert verify_chain(rows) == head
    assert verify_chain(rows[:dropped] + rows[dropped + 1 :]) != head
