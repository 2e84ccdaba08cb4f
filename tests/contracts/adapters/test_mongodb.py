"""What only documents have: arrays, nested fields, ids of the database's own, and a change bound to what was read."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from services.fulfillment.adapters.mongodb import open_adapter
from services.fulfillment.adapters.mongodb.store import MongoStore
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Done, Export, Frozen, Gone, NeedsPerson, StillPresent, Subject
from shared.policy.reading import read_yaml
from tests.support.shop import AFTER, BEFORE, CUT_OFF, EMAIL, NAME
from tests.support.shop_in_mongodb import InMongoDB

KEY = "0123456789abcdef"
ADA, BOB, VISIT = ObjectId(), ObjectId(), ObjectId()
CARD = "4111 1111 1111 1111"
MAP = """
dataset:
  - fides_key: clinic
    name: Clinic
    collections:
      - name: people
        fides_meta: {habeas: {created_at: created_at}}
        fields:
          - {name: _id, fides_meta: {primary_key: true}}
          - name: contacts
            fields:
              - {name: kind}
              - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - name: payment
            fields:
              - {name: brand, data_categories: [user.payment]}
              - {name: card_number, data_categories: [user.financial.credit_card]}
          - {name: created_at}
      - name: visits
        fields:
          - {name: _id, fides_meta: {primary_key: true}}
          - name: patient
            fields:
              - name: id
                fides_meta:
                  references: [{dataset: clinic, field: people._id, direction: from}]
                  habeas: {deidentify: set_null}
              - {name: name, data_categories: [user.name], fides_meta: {habeas: {deidentify: set_null}}}
          - name: notes
            fields:
              - name: by
                data_categories: [user.name]
                fides_meta: {habeas: {deidentify: {strategy: constant, value: removed}}}
              - {name: text}
"""


@pytest.fixture
async def clinic(mongodb: str) -> AsyncIterator[InMongoDB]:
    """A database with Ada, Bob, and a visit of Ada's."""
    place = InMongoDB(mongodb)
    await place.open()
    emails = [{"kind": "work", "email": "ada@work.example"}, {"kind": "home", "email": f" {EMAIL.upper()} "}]
    payment = {"brand": "made-up", "card_number": CARD}
    ada = {"_id": ADA, "contacts": emails, "payment": payment, "created_at": BEFORE}
    bob = {"_id": BOB, "contacts": [{"kind": "home", "email": "bob@example.com"}], "created_at": BEFORE}
    await place.database.people.insert_many([ada, bob])
    notes = [{"by": "Ada", "text": "a cough"}, {"text": "none"}, {"by": "Ada C.", "text": "well again"}]
    await place.database.visits.insert_one(
        {"_id": VISIT, "patient": {"id": ADA, "name": NAME}, "notes": notes}
    )
    yield place
    await place.close()


def system(clinic: InMongoDB, home: Path, **more: Any) -> System:
    address = home / "address"
    address.write_text(clinic.address)
    stated: dict[str, Any] = {
        "system": "clinic", "kind": "mongodb", "business": "clinic", "url": Secret(file=address),
        "dataset": Path("clinic.yaml"), "limits": Limits(connect_seconds=0.3, statement_seconds=2),
        "datamap": read_dataset(read_yaml(MAP.encode()), file="clinic.yaml", nested=True),
    }  # fmt: skip
    return System(**{**stated, **more})


@pytest.fixture
async def adapter(clinic: InMongoDB, tmp_path: Path) -> AsyncIterator[Adapter]:
    opened = open_adapter(system(clinic, tmp_path))
    yield opened
    await opened.close()


async def found(adapter: Adapter) -> Frozen:
    frozen = await adapter.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def test_an_address_in_an_array_leads_along_a_nested_reference(adapter: Adapter) -> None:
    frozen = await found(adapter)

    assert frozen.rows == {"people": ((str(ADA),),), "visits": ((str(VISIT),),)}


async def test_an_export_names_nested_values_by_their_path_and_withholds_them_there(adapter: Adapter) -> None:
    export = await adapter.export(await found(adapter), cut_off=CUT_OFF)

    assert isinstance(export, Export)
    people, visits = export.datasets
    assert people.rows[0]["contacts.email"] == ["ada@work.example", f" {EMAIL.upper()} "]
    assert people.rows[0]["payment.brand"] == "made-up"
    assert [(w.column, w.count) for w in people.withheld] == [("payment.card_number", 1)]
    assert visits.rows[0]["notes.text"] == ["a cough", "none", "well again"]
    assert CARD not in str([row for data in export.datasets for row in data.rows])


async def test_a_deletion_replaces_what_is_nested_in_every_element_and_leaves_the_rest(
    adapter: Adapter, clinic: InMongoDB
) -> None:
    frozen = await found(adapter)

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done), outcome
    assert [each["_id"] async for each in clinic.database.people.find()] == [BOB]
    visit = await clinic.database.visits.find_one()
    assert visit["patient"] == {"id": None, "name": None}
    kept = [{"by": "removed", "text": "a cough"}, {"text": "none"}, {"by": "removed", "text": "well again"}]
    assert visit["notes"] == kept
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)


async def test_a_document_that_was_written_anew_since_it_was_read_is_not_erased(
    clinic: InMongoDB, tmp_path: Path
) -> None:
    store = MongoStore(system(clinic, tmp_path))
    rows = await store["people"].held([(str(ADA),)])
    await clinic.database.people.update_one({"_id": ADA}, {"$set": {"created_at": AFTER}})

    erased = await store["people"].erase(rows)

    assert (len(rows), erased) == (1, 0)
    assert await clinic.database.people.count_documents({"_id": ADA}) == 1
    await store.close()


async def test_what_came_back_in_one_element_is_seen_by_the_proof(
    adapter: Adapter, clinic: InMongoDB
) -> None:
    frozen = await found(adapter)
    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    await clinic.database.visits.update_one({}, {"$set": {"notes.2.by": "Ada again"}})

    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(1)


async def test_a_nested_value_that_looks_personal_and_is_not_in_the_map_is_an_alarm(
    adapter: Adapter, clinic: InMongoDB
) -> None:
    await clinic.database.people.update_one(
        {"_id": BOB}, {"$push": {"contacts": {"kind": "old", "phone": "1"}}}
    )

    report = await adapter.check()

    assert [(drift.table, drift.column, drift.problem) for drift in report.drift] == [
        ("people", "contacts.phone", "unmapped")
    ]


async def test_an_address_that_matches_too_many_documents_is_for_a_person(
    clinic: InMongoDB, tmp_path: Path
) -> None:
    await clinic.database.people.insert_many([{"contacts": [{"email": EMAIL}]} for _ in range(3)])
    narrow = open_adapter(system(clinic, tmp_path, limits=Limits(max_matches=3, connect_seconds=0.3)))

    answer = await narrow.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "unbounded"
    await narrow.close()


def test_without_its_client_the_kind_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "services.fulfillment.adapters.mongodb.store")
    monkeypatch.setitem(sys.modules, "pymongo", None)

    with pytest.raises(MapError, match=r"pip install 'habeas\[mongodb\]'"):
        open_adapter(system(InMongoDB(""), tmp_path))


def test_a_setting_that_is_not_known_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(MapError, match=r"settings\.database: unknown"):
        open_adapter(system(InMongoDB(""), tmp_path, settings={"database": "x"}))
