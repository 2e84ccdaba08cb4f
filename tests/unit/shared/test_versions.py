"""A type that was replaced is still read, as what it has become."""

from collections.abc import Iterator

import pytest

from shared.events.catalogue import decode
from shared.events.message import CATALOGUE, Body, Event, event
from shared.events.topics import VERIFIED


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = dict(CATALOGUE)
    yield
    for added in CATALOGUE.keys() - known.keys():
        monkeypatch.delitem(CATALOGUE, added)


def test_what_lies_on_a_topic_in_an_older_version_is_read_as_the_newest() -> None:
    @event("test.counted", version=3, topic=VERIFIED)
    class Counted(Event):
        """Three fields by now."""

        number: int
        unit: str
        exact: bool

    @event("test.counted", version=2, topic=VERIFIED)
    class CountedInUnits(Event):
        """Two fields."""

        number: int
        unit: str

        def upcast(self) -> Body:
            return Counted(number=self.number, unit=self.unit, exact=False)

    @event("test.counted", version=1, topic=VERIFIED)
    class CountedRows(Event):
        """One field."""

        rows: int

        def upcast(self) -> Body:
            return CountedInUnits(number=self.rows, unit="row")

    assert decode("test.counted.v1", b'{"rows":3}') == Counted(number=3, unit="row", exact=False)
    assert decode("test.counted.v2", b'{"number":3,"unit":"row"}') == Counted(
        number=3, unit="row", exact=False
    )
    assert decode("test.counted.v3", b'{"number":3,"unit":"row","exact":true}').upcast() == Counted(
        number=3, unit="row", exact=True
    )
