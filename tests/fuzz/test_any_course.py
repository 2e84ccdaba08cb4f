"""Whatever is asked about a request, one thing after the other: no 500, and every answer as the description says."""

from typing import Any

import schemathesis
from hypothesis.stateful import initialize
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.stateful.state_machine import StepInput
from schemathesis.specs.openapi.checks import ignored_auth

from tests.support.front_desk import PERSON, FrontDesk
from tests.support.fuzz_settings import fuzzed

SUBMIT = "POST /requests"
# A schema cannot say what an e-mail address is.
ANSWERS = ["2xx", "401", "403", "404", "409", "422", "428", "429"]
# A wrong secret and an unknown request get the same 404.
SAID_ELSEWHERE: list[Any] = [ignored_auth]
few = fuzzed(15, steps=10)


def courses(description: Any, answers: set[tuple[str, int]]) -> Any:
    """Courses of requests: each begins with somebody who asks, and follows the links of the answers, which it notes."""
    any_course = description.as_state_machine()

    class Course(any_course):  # type: ignore[misc, valid-type] # made from the description
        def setup(self) -> None:
            self.secrets: dict[str, str] = {}

        @initialize(target=any_course.bundles[f"{SUBMIT} -> 201"])
        def somebody_asks(self) -> Any:
            case = description["/requests"]["POST"].Case(body=dict(PERSON), media_type="application/json")
            step = StepInput.initial(case)
            self.recorder.record_case(case=case)
            self.control.record_step(step, self.recorder)
            return self._step(input=step)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            secret = self.secrets.get(str(case.path_parameters.get("request_id", "")))
            return {"headers": {"Authorization": f"Bearer {secret}"}} if secret else {}

        def after_call(self, response: Any, case: Any) -> None:
            answers.add((case.operation.label, response.status_code))
            if (case.operation.label, response.status_code) == (SUBMIT, 201):
                receipt = response.json()
                self.secrets[receipt["request_id"]] = receipt["secret"]

        def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
            case.validate_response(response, excluded_checks=SAID_ELSEWHERE)

    return Course


def test_whatever_follows_a_receipt_is_answered_as_described(tmp_path: Any) -> None:
    desk = FrontDesk(tmp_path)
    answers: set[tuple[str, int]] = set()
    told = {"checks": {"positive_data_acceptance": {"expected-statuses": ANSWERS}}}
    config = SchemathesisConfig.from_dict(told)
    course = courses(schemathesis.openapi.from_asgi("/openapi.json", desk.app, config=config), answers)

    course.run(settings=few)

    assert (SUBMIT, 201) in answers
    assert ("GET /requests/{request_id}", 200) in answers


def test_a_receipt_leads_to_all_that_can_be_asked_about_its_request(tmp_path: Any) -> None:
    description = FrontDesk(tmp_path).app.openapi()

    links = description["paths"]["/requests"]["post"]["responses"]["201"]["links"]

    about = [path for path in description["paths"] if "{request_id}" in path]
    assert set(links) == {one["operationId"] for path in about for one in description["paths"][path].values()}
