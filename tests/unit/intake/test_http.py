"""The HTTP interface: what it takes, what it answers, and that every error is a problem that tells nobody's secrets."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events.commands import AnswerChallenge, PresentAssertion
from shared.privacy import check_request_secret
from tests.support import facts
from tests.support.domain_driver import Messages
from tests.support.front_desk import NOW, PERSON, FrontDesk, keyring

KEY = "4b8b0d4e-6c65-4bb5-9d3f"
PROBLEM = "application/problem+json"


@pytest.fixture
def desk() -> FrontDesk:
    return FrontDesk()


async def test_a_request_is_received_with_its_secret_dates_and_links(desk: FrontDesk) -> None:
    answer = await desk.submit()

    receipt = answer.json()
    here = f"/requests/{receipt['request_id']}"
    assert answer.status_code == 201
    assert answer.headers["location"] == here
    assert receipt == {
        "request_id": receipt["request_id"],
        "secret": receipt["secret"],
        "right": "delete",
        "received_at": "2026-02-02T19:00:00Z",
        "acknowledge_by": "2026-02-13",
        "respond_by": "2026-03-19",
        "effective_by": None,
        "links": {"self": here, "withdrawal": f"{here}/withdrawal", "verification": f"{here}/verification"},
    }


async def test_an_opt_out_offers_no_verification(desk: FrontDesk) -> None:
    receipt = await desk.receipt(right="opt_out")

    assert receipt["effective_by"] == "2026-02-20"
    assert "verification" not in receipt["links"]


async def test_the_same_key_and_body_get_the_same_answer_and_secret(desk: FrontDesk) -> None:
    first = await desk.submit(key=KEY)
    second = await desk.submit({**PERSON, "email": "ada.lovelace@EXAMPLE.com"}, key=KEY)

    assert (second.status_code, second.json()) == (201, first.json())
    assert len(desk.cases.drivers) == 1


async def test_the_same_key_with_another_body_is_a_problem_and_changes_nothing(desk: FrontDesk) -> None:
    first = await desk.submit(key=KEY)
    before = desk.cases.of(first.json()["request_id"]).case

    second = await desk.submit({**PERSON, "email": "eve@example.com"}, key=KEY)

    assert second.status_code == 422
    assert second.json()["type"] == "urn:habeas:problem:idempotency_key_reused"
    assert "secret" not in second.json()
    assert desk.cases.of(first.json()["request_id"]).case == before


@pytest.mark.parametrize("key", ["short", "k" * 129, "with spaces in between", "ключ-ключ-ключ-ключ"])
async def test_a_key_that_is_too_short_too_long_or_not_plain_is_a_problem(desk: FrontDesk, key: str) -> None:
    async with desk.client as client:
        answer = await client.post("/requests", json=PERSON, headers=[(b"Idempotency-Key", key.encode())])

    assert_problem(answer, 422, "invalid_request")
    assert answer.json()["errors"][0]["field"].lower() == "idempotency-key"


async def test_without_a_key_two_requests_are_two(desk: FrontDesk) -> None:
    assert (await desk.receipt())["request_id"] != (await desk.receipt())["request_id"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"right=delete", 400, "not_json"),
        (b"\xff\xfe", 400, "not_json"),
        (b"", 400, "not_json"),
        (b"[" * 100_000, 400, "not_json"),
        (b"[]", 422, "invalid_request"),
        (json.dumps({**PERSON, "canary": 1}).encode(), 422, "invalid_request"),
        (json.dumps({**PERSON, "email": 7}).encode(), 422, "invalid_request"),
        (json.dumps({**PERSON, "email": "canary"}).encode(), 422, "invalid_request"),
        (json.dumps({**PERSON, "right": "canary"}).encode(), 422, "invalid_request"),
        (json.dumps({**PERSON, "right": "shine_the_light"}).encode(), 422, "invalid_request"),
        (json.dumps({**PERSON, "residency": "canary"}).encode(), 422, "invalid_request"),
        (b" " * (256 * 1024 + 1), 413, "content_too_large"),
        (b"x" * 5_000_000, 413, "content_too_large"),
    ],
)
async def test_bad_bodies_are_problems_that_repeat_nothing(
    desk: FrontDesk, body: bytes, status: int, code: str
) -> None:
    answer = await desk.ask("POST", "/requests", content=body, extra={"content-type": "application/json"})

    assert_problem(answer, status, code)
    assert "canary" not in answer.text
    assert desk.cases.drivers == {} or code == "invalid_request"


async def test_a_body_that_does_not_say_its_length_is_bounded_while_it_streams(desk: FrontDesk) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 65_536
            yield b" " * 65_536

    answer = await desk.ask(
        "POST", "/requests", content=endless(), extra={"content-type": "application/json"}
    )

    assert_problem(answer, 413, "content_too_large")
    assert sent <= 6 * 65_536


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
async def test_another_kind_of_body_is_a_problem(desk: FrontDesk, kind: str) -> None:
    answer = await desk.ask("POST", "/requests", content=json.dumps(PERSON), extra={"content-type": kind})

    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/requests", 405),
        ("DELETE", f"/requests/{uuid4()}", 405),
        ("GET", "/nothing/here", 404),
        ("GET", "/requests/1/2/3", 404),
        ("PUT", "/.well-known/jwks.json", 405),
    ],
)
async def test_paths_and_methods_that_do_not_exist_are_problems_too(
    desk: FrontDesk, method: str, path: str, status: int
) -> None:
    answer = await desk.ask(method, path)

    assert_problem(answer, status, {404: "not_found", 405: "method_not_allowed"}[status])


async def test_the_status_tells_state_and_dates_and_nobody(desk: FrontDesk) -> None:
    receipt = await desk.receipt(name="Ada Lovelace", customer_id="C-1042")
    driven = desk.cases.of(receipt["request_id"])
    messages = Messages(UUID(receipt["request_id"]))
    driven.deliver(messages.event(facts.verified(), at=NOW))
    driven.deliver(messages.event(facts.extended(), at=NOW))
    driven.deliver(messages.event(facts.fulfilled(resolution="partial"), at=NOW))
    driven.finish("notice:answer", handed_over_at=NOW.isoformat(), notice_id=str(uuid4()))

    answer = await desk.ask("GET", f"/requests/{receipt['request_id']}", receipt["secret"])

    status = answer.json()
    assert answer.status_code == 200
    told = {name: status[name] for name in ("state", "answer_by", "extended", "verification", "resolution")}
    assert told == {
        "state": "answered",
        "answer_by": "2026-05-03",
        "extended": True,
        "verification": "verified",
        "resolution": "partial",
    }
    assert [(one["kind"], one["state"]) for one in status["notices"]] == [
        ("acknowledgement", "planned"),
        ("answer", "sent"),
    ]
    assert not any(word in answer.text.lower() for word in ("ada", "example.com", "c-1042", "secret"))


@pytest.mark.parametrize(
    "path", ["", "/withdrawal", "/verification", "/letter", "/package/code", "/package/link"]
)
async def test_an_unknown_id_and_a_wrong_secret_are_told_apart_by_nobody(desk: FrontDesk, path: str) -> None:
    receipt, other = await desk.receipt(), await desk.receipt()
    method = "GET" if path in {"", "/letter"} else "POST"
    more: dict[str, Any] = {"json": {"code": "123456"}} if path in {"/verification", "/package/link"} else {}

    foreign = await desk.ask(method, f"/requests/{receipt['request_id']}{path}", other["secret"], **more)
    unknown = await desk.ask(method, f"/requests/{uuid4()}{path}", other["secret"], **more)
    nonsense = await desk.ask(method, f"/requests/no-uuid{path}", "1.x", **more)
    missing = await desk.ask(method, f"/requests/{receipt['request_id']}{path}", None, **more)

    assert foreign.status_code == unknown.status_code == nonsense.status_code == 404
    assert foreign.text == unknown.text == nonsense.text
    assert_problem(missing, 401, "secret_missing")
    assert missing.headers["www-authenticate"] == "Bearer"


async def test_another_scheme_than_bearer_is_no_secret(desk: FrontDesk) -> None:
    receipt = await desk.receipt()

    answer = await desk.ask(
        "GET", f"/requests/{receipt['request_id']}", extra={"Authorization": f"Basic {receipt['secret']}"}
    )

    assert_problem(answer, 401, "secret_missing")


async def test_the_secret_is_derived_and_belongs_to_its_request_alone(desk: FrontDesk) -> None:
    receipt = await desk.receipt()
    driven = desk.cases.of(receipt["request_id"])

    assert check_request_secret(keyring(), UUID(receipt["request_id"]), receipt["secret"])
    assert receipt["secret"] not in driven.case.model_dump_json()


async def test_withdrawing_twice_answers_the_same(desk: FrontDesk) -> None:
    receipt = await desk.receipt()
    path = f"/requests/{receipt['request_id']}/withdrawal"

    first = await desk.ask("POST", path, receipt["secret"])
    second = await desk.ask("POST", path, receipt["secret"])

    assert first.status_code == second.status_code == 200
    assert first.json() == second.json()
    assert first.json()["state"] == "withdrawn"
    assert first.json()["links"] == {"self": f"/requests/{receipt['request_id']}"}


async def test_what_has_ended_cannot_be_withdrawn(desk: FrontDesk) -> None:
    receipt = await desk.receipt()
    driven = desk.cases.of(receipt["request_id"])
    driven.deliver(Messages(UUID(receipt["request_id"])).event(facts.fulfilled(), at=NOW))

    answer = await desk.ask("POST", f"/requests/{receipt['request_id']}/withdrawal", receipt["secret"])

    assert_problem(answer, 409, "too_late")


@pytest.mark.parametrize(
    ("proof", "command", "field", "plaintext"),
    [
        ({"code": " 123456 "}, AnswerChallenge, "code", b"123456"),
        ({"assertion": "a.b.c"}, PresentAssertion, "assertion", b"a.b.c"),
    ],
)
async def test_a_proof_is_passed_on_sealed(
    desk: FrontDesk, proof: dict[str, str], command: type[Any], field: str, plaintext: bytes
) -> None:
    receipt = await desk.receipt()

    answer = await desk.ask(
        "POST", f"/requests/{receipt['request_id']}/verification", receipt["secret"], json=proof
    )

    sent = desk.cases.of(receipt["request_id"]).sent[-1]
    assert answer.status_code == 202
    assert isinstance(sent.body, command)
    assert sent.opened(field) == plaintext


@pytest.mark.parametrize(
    "proof",
    [{}, {"code": "123456", "assertion": "a.b.c"}, {"code": "1"}, {"code": 123456}, {"pin": "123456"}],
)
async def test_what_is_no_proof_is_a_problem(desk: FrontDesk, proof: dict[str, Any]) -> None:
    receipt = await desk.receipt()

    answer = await desk.ask(
        "POST", f"/requests/{receipt['request_id']}/verification", receipt["secret"], json=proof
    )

    assert_problem(answer, 422, "invalid_request")
    assert "123456" not in answer.text


async def test_an_opt_out_is_never_asked_for_a_proof(desk: FrontDesk) -> None:
    receipt = await desk.receipt(right="opt_out")

    answer = await desk.ask(
        "POST", f"/requests/{receipt['request_id']}/verification", receipt["secret"], json={"code": "123456"}
    )

    assert_problem(answer, 409, "not_verified")


async def test_while_the_database_is_away_it_says_so_and_when_to_come_back(desk: FrontDesk) -> None:
    receipt = await desk.receipt()
    desk.cases.outage = ConnectionRefusedError("canary")

    submitted = await desk.submit(key=KEY)
    looked = await desk.ask("GET", f"/requests/{receipt['request_id']}", receipt["secret"])

    for answer in (submitted, looked):
        assert_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "5"
        assert "canary" not in answer.text


async def test_a_bug_is_a_problem_without_its_words(desk: FrontDesk) -> None:
    desk.cases.outage = RuntimeError("canary")

    assert_problem(await desk.submit(), 500, "failed")


async def test_the_keys_to_encrypt_to_are_public_and_hold_no_private_part(desk: FrontDesk) -> None:
    answer = await desk.ask("GET", "/.well-known/jwks.json")

    [key] = answer.json()["keys"]
    assert (key["use"], key["kty"], key["kid"]) == ("enc", "EC", desk.decryption.primary().thumbprint())
    assert "d" not in key
    assert answer.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("path", ["/requests", "/.well-known/jwks.json", "/nothing"])
async def test_every_answer_tells_browsers_to_keep_nothing_and_no_banner(desk: FrontDesk, path: str) -> None:
    answer = await desk.ask("GET", path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "server" not in answer.headers
    assert answer.headers["cache-control"] == "no-store" or path.startswith("/.well-known")


async def test_the_interface_describes_itself(desk: FrontDesk) -> None:
    described = (await desk.ask("GET", "/openapi.json")).json()

    body = described["paths"]["/requests"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert described["openapi"].startswith("3.1")
    assert {"right", "residency", "email"} <= body["properties"].keys()
    assert body["additionalProperties"] is False
    assert "ProblemBody" in described["components"]["schemas"]
    assert set(_references(described)) <= set(described["components"]["schemas"])


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"].rsplit("/", 1)[-1]] if isinstance(part.get("$ref"), str) else []
        return own + [name for value in part.values() for name in _references(value)]
    return [name for value in part for name in _references(value)] if isinstance(part, list) else []


def assert_problem(answer: Any, status: int, code: str) -> None:
    """A problem as RFC 9457 says."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    body = answer.json()
    assert (body["status"], body["type"]) == (status, f"urn:habeas:problem:{code}")
    assert body["title"]
    assert body["detail"]
