"""What only search stores have: documents not seen before a refresh, nested objects, and answers line by line."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from services.fulfillment.adapters.search import open_adapter
from services.fulfillment.adapters.search.fields import fields_of, identity
from services.fulfillment.adapters.search.store import SearchStore
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Ambiguous, Done, Frozen, Gone, NeedsPerson, Retry, Subject
from shared.policy.reading import read_yaml
from shared.private_files import write_private
from tests.support.shop import CUT_OFF, EMAIL
from tests.support.shop_in_search import InSearch

KEY = "0123456789abcdef"
MAP = """
dataset:
  - fides_key: tickets
    name: Tickets
    collections:
      - name: tickets
        fields:
          - {name: _id, fides_meta: {primary_key: true}}
          - name: people
            fields:
              - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
              - {name: role}
"""


@pytest.fixture
async def desk() -> AsyncIterator[InSearch]:
    """An index with a ticket of Ada's and one of Bob's."""
    place = InSearch()
    await place.open()
    put(place, "1", EMAIL.upper(), "ada@work.example")
    put(place, "2", "bob@example.com")
    place.server.indices["tickets"].nested = ("people",)
    yield place
    await place.close()


def put(desk: InSearch, name: str, *emails: str) -> None:
    desk.server.put("tickets", name, {"people": [{"email": each, "role": "asks"} for each in emails]})


def system(desk: InSearch | None, home: Path, **more: Any) -> System:
    write_private(home / "key", b"made-up")
    (home / "address").write_text(desk.address if desk else "http://search.example")
    stated: dict[str, Any] = {
        "system": "tickets", "kind": "search", "business": "shop", "url": Secret(file=home / "address"),
        "secrets": {"api_key": Secret(file=home / "key")}, "dataset": Path("tickets.yaml"),
        "limits": Limits(connect_seconds=0.3, statement_seconds=2),
        "datamap": read_dataset(read_yaml(MAP.encode()), file="tickets.yaml", nested=True),
    }  # fmt: skip
    return System(**{**stated, **more})


@pytest.fixture
async def adapter(desk: InSearch, tmp_path: Path) -> AsyncIterator[Adapter]:
    opened = open_adapter(system(desk, tmp_path))
    yield opened
    await opened.close()


async def found(adapter: Adapter) -> Frozen:
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def test_an_address_in_a_nested_object_is_found_erased_and_proved(
    adapter: Adapter, desk: InSearch
) -> None:
    frozen = await found(adapter)

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert frozen.rows == {"tickets": (("1",),)}
    assert isinstance(outcome, Done)
    assert set(desk.server.indices["tickets"].written) == {"2"}
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)


async def test_a_document_written_since_it_was_read_is_not_erased(desk: InSearch, tmp_path: Path) -> None:
    store = SearchStore(system(desk, tmp_path), {"tickets": "tickets"})
    rows = await store["tickets"].held([("1",)])
    put(desk, "1", "somebody@else.example")

    assert await store["tickets"].erase(rows) == 0
    assert "1" in desk.server.indices["tickets"].written
    await store.close()


async def test_more_documents_than_one_page_are_all_read_and_the_search_is_ended(
    desk: InSearch, tmp_path: Path
) -> None:
    for number in range(1500):
        put(desk, f"n{number}", EMAIL)
    wide = open_adapter(system(desk, tmp_path, limits=Limits(max_matches=5000)))

    frozen = await found(wide)

    assert len(frozen.rows["tickets"]) == 1501
    assert desk.server.told[-1] == "DELETE /_search/scroll"
    await wide.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(status_code=401), "credentials"),
        (Response(status_code=403), "credentials"),
        (Response(status_code=404), "schema"),
        (Response("<html>sign in</html>", media_type="text/html"), "schema"),
        (Response(status_code=302, headers={"location": "/login"}), "refused"),
    ],
)
async def test_an_answer_that_a_person_must_look_at(
    adapter: Adapter, desk: InSearch, answer: Response, kind: str
) -> None:
    desk.server.trouble.append(answer)

    said = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)

    assert isinstance(said, NeedsPerson)
    assert said.kind == kind


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_store_that_is_busy_or_away_is_asked_again_later(
    adapter: Adapter, desk: InSearch, status: int
) -> None:
    desk.server.trouble.append(Response(status_code=status))

    assert isinstance(await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF), Retry)


async def test_a_part_of_the_index_that_does_not_answer_is_not_taken_for_nothing(
    adapter: Adapter, desk: InSearch
) -> None:
    well = Response("{}", media_type="application/json")
    mapping = JSONResponse({"tickets": {"mappings": {"properties": {}}}})
    desk.server.trouble += [well, mapping, JSONResponse({"_shards": {"failed": 1}, "hits": {"hits": []}})]

    assert isinstance(await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF), Retry)


async def test_a_lost_answer_to_a_deletion_is_doubt(adapter: Adapter, desk: InSearch) -> None:
    frozen = await found(adapter)
    desk.server.bulk_trouble.append(Response(status_code=502))

    assert isinstance(await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY), Ambiguous)


def test_a_text_kept_whole_beside_its_words_is_searched_whole() -> None:
    properties = {"email": {"type": "text", "fields": {"raw": {"type": "keyword"}}}, "note": {"type": "text"}}
    fields = fields_of({"one": {"mappings": {"properties": properties}}})

    assert identity(fields["email"], " Ada@X.example", "lower") == {
        "term": {"email.raw": {"value": "ada@x.example", "case_insensitive": True}}
    }
    assert identity(fields["note"], "Ada@x.example", "lower") == {
        "match": {"note": {"query": "ada@x.example", "operator": "and"}}
    }
    assert identity(None, "ada@x.example", "lower") == {"match_none": {}}


async def test_an_address_without_tls_is_not_told_anything(tmp_path: Path) -> None:
    opened = open_adapter(system(None, tmp_path))

    answer = await opened.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "credentials"
    await opened.close()


def test_half_of_the_credentials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="name user and password, or api_key, or nothing"):
        open_adapter(system(None, tmp_path, secrets={"user": Secret(env="X")}))
