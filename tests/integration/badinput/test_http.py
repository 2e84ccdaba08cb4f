"""What is wrong with a form is said in one clear answer, which repeats nothing; the next caller is served."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.support.planted import Canaries
from tests.support.running import Running

pytestmark = pytest.mark.connected

Bad = Callable[[Canaries], bytes]


def form(canaries: Canaries, **changes: Any) -> dict[str, Any]:
    """A form that could be sent, of a person who does not exist."""
    name, email = f"Ada {canaries.word()}", canaries.email()
    return {"right": "opt_out", "residency": "US-CA", "name": name, "email": email, **changes}


def without_its_end(canaries: Canaries) -> bytes:
    return json.dumps(form(canaries)).encode()[:-1]


def in_no_encoding(canaries: Canaries) -> bytes:
    return json.dumps(form(canaries)).encode("utf-16")


def in_a_list(canaries: Canaries) -> bytes:
    return json.dumps([form(canaries)]).encode()


def nested_too_deeply(canaries: Canaries) -> bytes:
    return f'{{"email": "{canaries.email()}", "name": '.encode() + b"[" * 100_000


def with_(field: str, value: Callable[[Canaries], Any]) -> Bad:
    return lambda canaries: json.dumps(form(canaries, **{field: value(canaries)})).encode()


async def in_chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 65_536):
        yield content[start : start + 65_536]


@dataclass(frozen=True)
class Wrong:
    """What is sent, and what is answered: a status, and the fault with its field."""

    sent: Bad
    status: int = 422
    faults: tuple[tuple[str | None, str], ...] = ()


def fault(sent: Bad, reason: str, field: str | None = None) -> Wrong:
    return Wrong(sent, faults=((field, reason),))


def form_of(value: Any) -> Wrong:
    """A name that is no name of the right kind."""
    return fault(with_("name", value), "wrong_type_or_form", "name")


WRONG = {
    "not JSON": Wrong(without_its_end, 400),
    "not UTF-8": Wrong(in_no_encoding, 400),
    "nested without end": Wrong(nested_too_deeply, 400),
    "not an object": fault(in_a_list, "not_an_object"),
    "nothing": fault(lambda _: b"null", "not_an_object"),
    "an unknown field": fault(with_("shoe_size", Canaries.word), "unknown_field"),
    "a wrong type": form_of(lambda canaries: {"is": canaries.word()}),
    "a text too long": form_of(lambda canaries: canaries.word() * 50),
    "a zero byte": fault(with_("name", lambda canaries: f"{canaries.word()}\x00"), "unusable", "name"),
    "a number as right": fault(with_("right", lambda _: 7), "wrong_type_or_form", "right"),
    "an unknown right": fault(with_("right", Canaries.word), "unknown_right", "right"),
    "a right not offered": fault(with_("right", lambda _: "shine_the_light"), "right_not_offered", "right"),
    "no address": fault(with_("email", Canaries.word), "unusable", "email"),
    "a forged header": fault(
        with_("email", lambda canaries: f"a@b\r\nBcc: {canaries.email()}"), "unusable", "email"
    ),
    "an unknown residency": fault(with_("residency", Canaries.word), "unknown_residency", "residency"),
    "an unknown business": fault(with_("business", Canaries.word), "unknown_business", "business"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_form_gets_a_problem_that_says_what_to_mend_and_repeats_nothing(
    running: Running, canaries: Canaries, wrong: Wrong
) -> None:
    content, trace = wrong.sent(canaries), canaries.word()

    answer = await _submit(running, content, traceparent=trace)

    assert answer.status_code == wrong.status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], bool(problem["title"]), bool(problem["detail"])) == (wrong.status, True, True)
    faults = problem.get("errors", [])
    assert tuple((one.get("field"), one["reason"]) for one in faults) == wrong.faults
    assert all(one["remedy"] for one in faults)
    assert canaries.seen_in(answer.content) == []
    assert canaries.seen_in(str(answer.headers.raw).encode()) == []
    await _next_one_is_served(running, canaries)


@pytest.mark.parametrize("sent", [bytes, in_chunks], ids=["announced", "in chunks"])
async def test_a_body_of_5_mb_is_turned_away(
    running: Running, canaries: Canaries, sent: Callable[[bytes], bytes | AsyncIterator[bytes]]
) -> None:
    content = json.dumps(form(canaries, name=canaries.word() * 320_000)).encode()

    answer = await _submit(running, sent(content))

    assert len(content) > 5_000_000
    assert answer.status_code == 413
    assert canaries.seen_in(answer.content) == []
    await _next_one_is_served(running, canaries)


@pytest.mark.parametrize(
    ("key", "remedy"),
    [("{}", "at least 16"), ("{} has spaces", "in the form"), ("{}" * 20, "at most 128")],
    ids=["short", "spaced", "long"],
)
async def test_a_wrong_idempotency_key_is_named_with_its_remedy_and_not_repeated(
    running: Running, canaries: Canaries, key: str, remedy: str
) -> None:
    word = canaries.word()
    given = key.replace("{}", word if len(key) > 2 else word[:15])

    answer = await _submit(running, json.dumps(form(canaries)).encode(), key=given)

    assert answer.status_code == 422
    (told,) = answer.json()["errors"]
    assert told["field"] == "Idempotency-Key"
    assert remedy in told["remedy"]
    assert canaries.seen_in(answer.content) == []


async def test_a_wrong_secret_and_a_wrong_id_are_told_apart_by_nobody(
    running: Running, canaries: Canaries
) -> None:
    made = await _submit(running, json.dumps(form(canaries)).encode())
    known, word = made.json()["request_id"], canaries.word()

    answers = [
        await running.http.get(
            f"{running.intake}/requests/{request}", headers={"Authorization": f"Bearer {word}"}
        )
        for request in (known, word, "00000000-0000-0000-0000-000000000000")
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert canaries.seen_in(answers[0].content) == []


async def test_the_same_key_with_another_content_is_refused(running: Running, canaries: Canaries) -> None:
    key = "used-twice-with-other-words"
    first = await _submit(running, json.dumps(form(canaries)).encode(), key=key)

    second = await _submit(running, json.dumps(form(canaries)).encode(), key=key)

    assert (first.status_code, second.status_code) == (201, 422)
    assert second.json()["type"] == "urn:habeas:problem:idempotency_key_reused"
    assert canaries.seen_in(second.content) == []


async def _submit(
    running: Running,
    content: bytes | AsyncIterator[bytes],
    *,
    content_type: str = "application/json",
    **more: str,
) -> httpx2.Response:
    named = {
        "content-type": content_type,
        "idempotency-key": more.get("key"),
        "traceparent": more.get("traceparent"),
    }
    headers = {name: value for name, value in named.items() if value is not None}
    return await running.http.post(f"{running.intake}/requests", content=content, headers=headers)


async def _next_one_is_served(running: Running, canaries: Canaries) -> None:
    answer = await _submit(running, json.dumps(form(canaries)).encode())
    assert answer.status_code == 201
    assert canaries.seen_in(answer.content) == []
