"""The connector for Intercom that is shipped, and the answers that it is tried on, held against Intercom's description.

The description is Intercom's own, under the MIT licence; `make connectors` brings it.
"""

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from openapi_core.testing import MockResponse

from services.fulfillment.adapters.http import HttpAdapter
from services.fulfillment.adapters.http.connector import Connector, CursorPaging, Lookup
from services.fulfillment.ports import Subject
from shared.clock import SystemClock
from shared.privacy.claims import Correction
from tests.support.described import Description, Overheard, body_of, leaves
from tests.support.vendor import Vendor, connector_of, frozen_of

WHERE = "HABEAS_TEST_INTERCOM"

pytestmark = pytest.mark.skipif(not os.environ.get(WHERE), reason="`make connectors` brings the description")

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
CONTACT = "/contacts/{contact_id}"
SEARCH = "/contacts/search"
# A contact that is gone is answered 404: the description says so in words, and only of those that were merged.
IN_WORDS = {("get", CONTACT, 404)}


@pytest.fixture(scope="module")
def description(record_testsuite_property: Callable[[str, object], None]) -> Description:
    read = Description(Path(os.environ[WHERE]))
    record_testsuite_property("version", read.version)
    return read


@pytest.fixture
def connector() -> Connector:
    return connector_of("intercom")


@pytest.fixture
async def overheard(connector: Connector, tmp_path: Path) -> AsyncIterator[Overheard]:
    """Everything that the connector ever asks, and the answers of the fixture."""
    vendor = Vendor("intercom")
    system = vendor.system("http://localhost", tmp_path)
    transport = Overheard(httpx2.ASGITransport(app=vendor.app), connector.base_url or "")
    adapter = HttpAdapter(system, connector, SystemClock(), transport)
    found = frozen_of(vendor.fixture["found"])
    wrong = Correction.model_validate(vendor.fixture["correction"])
    await adapter.check()
    await adapter.find(Subject(vendor.fixture["person"]), cut_off=CUT_OFF)
    await adapter.export(found, cut_off=CUT_OFF)
    for right in ("correct", "opt_out", "delete"):
        frozen = replace(found, corrections=(wrong,))
        vendor.state = "held"
        await adapter.act(right, frozen, cut_off=CUT_OFF, idempotency_key="k")
        await adapter.prove(right, frozen, cut_off=CUT_OFF)
    yield transport
    await adapter.close()
    assert vendor.unknown == []


async def test_every_request_and_every_answer_is_as_it_says(
    overheard: Overheard, description: Description
) -> None:
    methods = {(request.method, request.path) for request, _ in overheard.heard}
    known = [
        pair for pair in overheard.heard if (pair[0].method, CONTACT, pair[1].status_code) not in IN_WORDS
    ]

    wrong = [line for request, response in known for line in description.wrong(request, response)]

    assert wrong == []
    assert {method for method, _ in methods} == {"get", "post", "put", "delete"}


async def test_every_name_that_is_sent_stands_in_it(overheard: Overheard, description: Description) -> None:
    sent = [(request, body_of(request)) for request, _ in overheard.heard if request.body]

    for request, body in sent:
        path = SEARCH if request.path == SEARCH else CONTACT
        schema = description.asked(request.method, path)
        unknown = [steps for steps in leaves(body) if not description.names(schema, steps)]
        assert unknown == [], request.path
    assert len(sent) == 3


def test_every_path_that_is_read_stands_in_it(connector: Connector, description: Description) -> None:
    contacts = connector.collections["contacts"]
    search = contacts.find["email"]
    assert isinstance(search, Lookup)
    assert isinstance(search.paging, CursorPaging)
    assert contacts.delete is not None
    columns = [contacts.fields.get(name, name) for name in _columns()]

    read = [
        ("get", "/me", connector.check_holds),
        ("post", SEARCH, search.rows),
        ("post", SEARCH, search.paging.next),
        *(("post", SEARCH, f"{search.rows}.{column}") for column in columns),
        *(("get", CONTACT, column) for column in columns),
        ("delete", CONTACT, contacts.delete.done),
    ]

    unknown = [
        (method, path, place)
        for method, path, place in read
        if not description.names(description.answered(method, path), str(place).split("."))
    ]
    assert unknown == []


def test_a_name_that_does_not_stand_in_it_is_found(description: Description) -> None:
    assert not description.names(description.answered("get", CONTACT), ["e_mail"])
    assert not description.names(description.answered("post", SEARCH), ["pages", "next", "after"])
    assert not description.names(description.asked("put", CONTACT), ["custom_attribute"])


async def test_an_answer_of_another_kind_is_found(overheard: Overheard, description: Description) -> None:
    request, response = next(pair for pair in overheard.heard if pair[0].path == SEARCH)
    nonsense = MockResponse(b'{"type": "list", "data": "nobody", "total_count": 0}', status_code=200)

    assert description.wrong(request, response) == []
    assert description.wrong(request, nonsense)


def test_the_version_that_is_asked_for_is_the_one_it_describes(
    connector: Connector, description: Description
) -> None:
    assert connector.headers["Intercom-Version"] == description.version


def _columns() -> list[str]:
    return list(Vendor("intercom").datamap.collections["contacts"].fields)
