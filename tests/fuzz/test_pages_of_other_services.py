"""Whatever is sent to the services beside intake over HTTP: no 500, answers as described, nobody's words repeated."""

from typing import Any

import httpx2
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from shared.events.envelope import Raw
from tests.support.fuzz_settings import fuzzed
from tests.support.fuzzed_pages import SYSTEM, pages
from tests.support.hostile_records import CANARY, hostile

OPERATIONS = (
    ("fulfillment", "POST /suppression/check"),
    ("fulfillment", "GET /suppression/versions"),
    ("fulfillment", "POST /callbacks/{system}"),
    ("fulfillment", "GET /holds"),
    ("fulfillment", "POST /holds"),
    ("deadline", "GET /certificates/{request_id}"),
    ("deadline", "GET /certificates/{request_id}/addenda"),
)
# Any system may be named, and nothing else is described.
NOTHING_WRONG = frozenset({"GET /suppression/versions", "POST /callbacks/{system}", "POST /holds"})
MODES = [
    (service, label, mode)
    for service, label in OPERATIONS
    for mode in GenerationMode
    if label not in NOTHING_WRONG or mode is not GenerationMode.NEGATIVE
]
# A signature, a system that exists and a closed request are no matter of a schema; nor are callbacks' bodies.
ANSWERS = ["2xx", "400", "401", "403", "404", "409", "413", "422"]
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422"]
tried = fuzzed(4)


@pytest.fixture(scope="module")
def applications(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    return pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def described(applications: dict[str, FastAPI]) -> dict[str, Any]:
    config = SchemathesisConfig.from_dict(
        {
            "checks": {
                "negative_data_rejection": {"expected-statuses": REFUSALS},
                "positive_data_acceptance": {"expected-statuses": ANSWERS},
            }
        }
    )
    return {
        service: schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
        for service, app in applications.items()
    }


def test_every_operation_is_fuzzed(described: dict[str, Any]) -> None:
    found = {
        (service, operation.ok().label)
        for service, document in described.items()
        for operation in document.get_all_operations()
    }

    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("service", "label", "mode"), MODES)
@tried
@given(data=st.data())
def test_every_answer_is_as_described(
    described: dict[str, Any], service: str, label: str, mode: GenerationMode, data: st.DataObject
) -> None:
    case = drawn(described, service, label, mode, data)

    case.call_and_validate()


@pytest.mark.parametrize(("service", "label"), OPERATIONS)
@tried
@given(data=st.data())
def test_no_answer_repeats_what_somebody_sent(
    described: dict[str, Any], service: str, label: str, data: st.DataObject
) -> None:
    case = drawn(described, service, label, GenerationMode.POSITIVE, data)
    system = data.draw(st.sampled_from([CANARY, SYSTEM]))
    case.path_parameters = {
        name: system if name == "system" else CANARY for name in case.path_parameters or {}
    }
    case.query = dict.fromkeys([*(case.query or {}), CANARY], CANARY)
    for name in ("ce-id", "ce-type", "ce-source", "ce-subject", "ce-time", "ce-business", "ce-signature"):
        case.headers[name] = CANARY
    if isinstance(case.body, dict):
        case.body = {**dict.fromkeys(case.body, CANARY), CANARY: CANARY}

    answer = case.call()

    assert answer.status_code < 500
    assert CANARY.lower() not in (answer.text + str(answer.headers)).lower()


@tried
@given(raw=hostile("fulfillment"))
async def test_a_hostile_command_is_refused_on_the_page_of_holds_and_repeated_nowhere(
    applications: dict[str, FastAPI], raw: Raw
) -> None:
    named = [(name.replace("ce_", "ce-"), value) for name, value in raw.headers]
    transport = httpx2.ASGITransport(applications["fulfillment"], raise_app_exceptions=False)

    async with httpx2.AsyncClient(transport=transport, base_url="http://fulfillment") as client:
        headers = [(name.encode(), value or b"") for name, value in named]
        answer = await client.post("/holds", headers=headers, content=raw.value or b"")

    assert answer.status_code in {403, 409, 413, 422}
    assert CANARY.lower() not in answer.text.lower()


def drawn(
    described: dict[str, Any], service: str, label: str, mode: GenerationMode, data: st.DataObject
) -> Any:
    """One call of an operation, as described or not."""
    method, path = label.split()
    return data.draw(described[service][path][method].as_strategy(generation_mode=mode))
