"""Whatever bytes lie on a topic: no exception, the next good record is applied, and nothing repeats the input."""

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from structlog.typing import EventDict

from shared.events.envelope import Raw, Unreadable
from shared.events.topics import SERVICES
from shared.machine.incoming import to_incoming
from tests.support.canaries import Canaries
from tests.support.fuzz_settings import fuzzed
from tests.support.fuzzed_services import Fuzzed, Fuzzing, claims_of
from tests.support.hostile_records import CANARY, hostile, json_values, strange_envelopes

tried = fuzzed(150)
SEARCH = Canaries({"canary": CANARY})
GOOD = {"applied", "refused"}


@pytest.fixture(scope="module")
def fuzzing(tmp_path_factory: pytest.TempPathFactory) -> Fuzzing:
    return Fuzzing(tmp_path_factory.mktemp("fuzzing") / "keys")


@pytest.mark.parametrize("service", SERVICES)
@tried
@given(data=st.data())
async def test_a_hostile_record_stops_nothing_and_is_repeated_nowhere(
    fuzzing: Fuzzing, service: str, data: st.DataObject
) -> None:
    raws = data.draw(st.lists(hostile(service), min_size=1, max_size=4))
    machine = fuzzing.service(service)

    with capture_logs() as lines:
        statuses = await machine.hear(raws)
        again = await machine.hears_a_good_one()

    assert len(statuses) == len(raws)
    assert again in GOOD
    assert_not_repeated(machine, raws, lines)


@pytest.mark.parametrize("service", SERVICES)
@tried
@given(data=st.data())
async def test_who_is_named_in_an_envelope_is_named_in_no_row(
    fuzzing: Fuzzing, service: str, data: st.DataObject
) -> None:
    raw = data.draw(strange_envelopes(service))
    machine = fuzzing.service(service)

    await machine.hear([raw])

    assert SEARCH.found_in(repr(machine.rows()).encode()) == []


@tried
@given(
    changes=st.dictionaries(
        st.sampled_from([*claims_of(), "name", "business", CANARY]), json_values, max_size=3
    )
)
async def test_whatever_is_inside_the_encrypted_claims_a_submission_is_answered(
    fuzzing: Fuzzing, changes: dict[str, object]
) -> None:
    machine = fuzzing.service("intake")
    raw = fuzzing.submission(uuid4(), json.dumps({**claims_of(), **changes}).encode())

    with capture_logs() as lines:
        (status,) = await machine.hear([raw])

    assert status == "applied"
    assert_not_repeated(machine, [raw], lines)
    assert SEARCH.found_in(repr(machine.store.tables).encode()) == []


def assert_not_repeated(machine: Fuzzed, raws: list[Raw], lines: list[EventDict]) -> None:
    """Reasons, dead letters and log lines are made of words of ours."""
    unreadable = [item for item in map(to_incoming, raws) if isinstance(item, Unreadable)]
    tables = machine.store.tables
    letters = [row for row in tables.outbox.values() if row.topic.startswith("dsar.dead-letters.")]
    said = [(item.reason, item.field, item.request_id) for item in unreadable]
    kept = [(one.id, one.reason, one.field, one.sealed, one.request_id) for one in tables.dead.values()]
    assert [one for one in kept if str(one[1]).startswith("unhandled:")] == []
    for told in (said, kept, letters, lines):
        assert SEARCH.found_in(repr(told).encode()) == []
