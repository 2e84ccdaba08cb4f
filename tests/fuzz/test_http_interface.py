"""Whatever is sent to intake over HTTP: no 500, every answer as the description says, and nobody's words repeated."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth

from tests.support.front_desk import FrontDesk
from tests.support.fuzz_settings import fuzzed
from tests.support.hostile_records import CANARY

# A schema cannot say what an e-mail address or a telephone number is, which business is served, what belongs
# together: what it lets through may still be refused, by the answers that the description names.
ANSWERS = ["2xx", "401", "403", "404", "409", "422", "428", "429"]
# A wrong secret and an unknown request get the same 404, so that nobody learns which requests exist.
SAYS_NOT_FOUND: list[Any] = [ignored_auth]
# What is wrong may also be too long, which is said before anybody looks what else is wrong with it.
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]
NOTHING_TO_VARY = "GET /.well-known/jwks.json"
# Any text may stand where a token is expected, and nothing else is sent.
NOTHING_WRONG = frozenset({NOTHING_TO_VARY, "GET /requests/{request_id}/package/{token}"})
OPERATIONS = (
    "POST /requests",
    "GET /requests/{request_id}",
    "POST /requests/{request_id}/withdrawal",
    "POST /requests/{request_id}/verification",
    "POST /requests/{request_id}/package/code",
    "POST /requests/{request_id}/package/link",
    "GET /requests/{request_id}/package/{token}",
    "POST /requests/{request_id}/package/{token}",
    "GET /requests/{request_id}/letter",
    NOTHING_TO_VARY,
)
MODES = [
    (label, mode)
    for label in OPERATIONS
    for mode in GenerationMode
    if label not in NOTHING_WRONG or mode is not GenerationMode.NEGATIVE
]
tried = fuzzed(30)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> FrontDesk:
    return FrontDesk(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def description(desk: FrontDesk) -> Any:
    told = {
        "checks": {
            "negative_data_rejection": {"expected-statuses": REFUSALS},
            "positive_data_acceptance": {"expected-statuses": ANSWERS},
        }
    }
    config = SchemathesisConfig.from_dict(told)
    return schemathesis.openapi.from_asgi("/openapi.json", desk.app, config=config)


@pytest.fixture(scope="module")
def receipt(desk: FrontDesk) -> dict[str, Any]:
    return asyncio.run(desk.receipt())


def test_every_operation_is_fuzzed(description: Any) -> None:
    described = {found.ok().label for found in description.get_all_operations()}

    assert described == set(OPERATIONS)


@pytest.mark.parametrize(("label", "mode"), MODES)
@tried
@given(data=st.data())
def test_every_answer_is_as_described(
    description: Any, label: str, mode: GenerationMode, data: st.DataObject
) -> None:
    case = drawn(description, label, mode, data)

    case.call_and_validate()


@pytest.mark.parametrize("label", [label for label in OPERATIONS if "request_id" in label])
@tried
@given(data=st.data())
def test_every_answer_to_who_holds_a_receipt_is_as_described(
    description: Any, receipt: dict[str, Any], label: str, data: st.DataObject
) -> None:
    case = drawn(description, label, GenerationMode.POSITIVE, data)
    case.path_parameters["request_id"] = receipt["request_id"]
    case.headers["Authorization"] = f"Bearer {receipt['secret']}"

    case.call_and_validate(excluded_checks=SAYS_NOT_FOUND)


@pytest.mark.parametrize("label", OPERATIONS)
@tried
@given(data=st.data())
def test_no_answer_repeats_what_somebody_sent(description: Any, label: str, data: st.DataObject) -> None:
    case = drawn(description, label, GenerationMode.POSITIVE, data)
    case.path_parameters = dict.fromkeys(case.path_parameters, CANARY)
    case.headers["Traceparent"] = case.headers["Authorization"] = case.headers["Idempotency-Key"] = CANARY
    if isinstance(case.body, dict):
        case.body = {**dict.fromkeys(case.body, CANARY), CANARY: CANARY}

    answer = case.call()

    assert answer.status_code < 500
    assert CANARY.lower() not in (answer.text + str(answer.headers)).lower()


def drawn(description: Any, label: str, mode: GenerationMode, data: st.DataObject) -> Any:
    """One call of an operation, as described or not."""
    method, path = label.split()
    return data.draw(description[path][method].as_strategy(generation_mode=mode))
