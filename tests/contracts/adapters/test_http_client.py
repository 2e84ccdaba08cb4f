"""The client of a system over HTTP: tokens, pages, limits and batches, against a server that keeps count."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.fulfillment.ports import (
    Ambiguous,
    Done,
    Frozen,
    NeedsPerson,
    Retry,
    StillPresent,
    Unknown,
)
from tests.support.http_service import (
    CUT_OFF,
    IDS,
    PERSON,
    Service,
    always,
    found,
    row,
    served,
    state_of,
)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A service of which only `/me` is known so far."""
    async with served(tmp_path) as made:
        yield made


OAUTH = {
    "kind": "oauth2_client_credentials",
    "token_path": "/token",
    "client_id_secret": "id",
    "client_secret_secret": "secret",
}


async def test_a_token_is_asked_for_once_and_anew_when_it_was_refused(service: Service) -> None:
    valid = ["one"]
    service.answers["POST /token"] = lambda _: {"access_token": valid[0], "expires_in": 3600}

    def people(request: Request) -> Any:
        known = request.headers["authorization"] == f"Bearer {valid[0]}"
        return {"items": [row(1)]} if known else JSONResponse({}, 401)

    service.answers["GET /people"] = people
    adapter = service.adapter(auth=OAUTH)

    assert await found(adapter) == [1]
    assert await found(adapter) == [1]
    assert service.told.count("POST /token") == 1
    valid[0] = "two"
    assert await found(adapter) == [1]
    assert service.told.count("POST /token") == 2


async def test_calls_at_the_same_time_whose_token_was_refused_all_go_on_with_the_new_one(
    service: Service,
) -> None:
    valid = ["one"]
    service.answers["POST /token"] = lambda _: {"access_token": valid[0], "expires_in": 3600}

    async def people(request: Request) -> Any:
        known = request.headers["authorization"] == f"Bearer {valid[0]}"
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.005)
        return {"items": [row(1)]} if known else JSONResponse({}, 401)

    service.answers["GET /people"] = people
    adapter = service.adapter(auth=OAUTH)
    assert await found(adapter) == [1]
    valid[0] = "two"

    assert await asyncio.gather(*(found(adapter) for _ in range(8))) == [[1]] * 8


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (JSONResponse({"error": "invalid_client"}, 400), "credentials"),
        (JSONResponse({"error": "invalid_client"}, 401), "credentials"),
        (JSONResponse({"token": "x"}), "credentials"),
    ],
)
async def test_a_grant_that_is_refused_is_a_matter_of_credentials(
    service: Service, answer: Response, kind: str
) -> None:
    service.answers["POST /token"] = lambda _: answer

    told = await service.adapter(auth=OAUTH).find(PERSON, cut_off=CUT_OFF)

    assert isinstance(told, NeedsPerson)
    assert told.kind == kind
    assert "hush" not in repr(told)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "bearer", "secret": "secret"}, "authorization", "Bearer hush"),
        ({"kind": "api_key", "secret": "secret", "header": "X-Key"}, "x-key", "hush"),
        ({"kind": "basic", "user": "u", "password_secret": "secret"}, "authorization", "Basic dTpodXNo"),
        (
            {"kind": "basic", "user_secret": "id", "password_secret": "secret"},
            "authorization",
            "Basic bWU6aHVzaA==",
        ),
    ],
)
async def test_each_way_to_show_who_we_are(
    service: Service, auth: dict[str, str], header: str, value: str
) -> None:
    service.answers["GET /people"] = lambda _: {"items": []}

    assert await found(service.adapter(auth=auth)) == []

    assert service.headers[0][header] == value


async def test_a_secret_that_others_could_read_is_not_used(service: Service) -> None:
    service.answers["GET /people"] = lambda _: {"items": []}
    adapter = service.adapter(auth={"kind": "bearer", "secret": "secret"})
    (service.home / "secret").chmod(0o644)

    told = await adapter.find(PERSON, cut_off=CUT_OFF)

    assert isinstance(told, NeedsPerson)
    assert told.kind == "credentials"
    assert "chmod 600" in told.reason
    assert service.told == []


PAGINGS: dict[str, dict[str, Any]] = {
    "cursor": {"kind": "cursor", "next": "next", "into": "query.at"},
    "page": {"kind": "page", "into": "query.at"},
    "counted": {"kind": "page", "into": "query.at", "pages": "pages"},
    "offset": {"kind": "offset", "into": "query.at", "size": 2},
    "address": {"kind": "address", "next": "url"},
    "link": {"kind": "link"},
}


@pytest.mark.parametrize("kind", PAGINGS)
async def test_every_page_is_read_whatever_way_they_hang_together(service: Service, kind: str) -> None:
    def people(request: Request) -> Any:
        at = int(request.query_params.get("at", 0))
        start = (at - 1) * 2 if kind in {"page", "counted"} else at
        items = [row(number) for number in IDS[start : start + 2]]
        after = start + 2
        onward = f"/people?email=x&at={after}" if after < len(IDS) else None
        body = {"items": items, "next": after if onward else None, "pages": 3, "url": onward}
        link = {"Link": f'<{onward}>; rel="next"'} if onward else {}
        return JSONResponse(body, headers=link)

    service.answers["GET /people"] = people
    find = {"email": {"request": {"path": "/people", "query": {"email": "{{ value }}"}}, "rows": "items"}}
    find["email"]["paging"] = PAGINGS[kind]

    assert await found(service.adapter(people={"find": find})) == IDS
    assert len(service.told) == (4 if kind == "page" else 3)


async def test_a_next_page_on_another_host_is_not_asked_for(service: Service) -> None:
    service.answers["GET /people"] = lambda _: {"items": [row(1)], "url": "http://127.0.0.1:9/people"}
    find = {"email": {"request": {"path": "/people"}, "rows": "items", "paging": PAGINGS["address"]}}

    told = await service.adapter(people={"find": find}).find(PERSON, cut_off=CUT_OFF)

    assert isinstance(told, NeedsPerson)
    assert "not this system's" in told.reason


async def test_a_limit_that_the_headers_tell_is_kept_without_asking_again(service: Service) -> None:
    service.answers["GET /people"] = lambda _: JSONResponse(
        {"items": [row(1)]}, headers={"X-Left": "0", "X-Reset": "120"}
    )
    headers = {"remaining": "X-Left", "reset": "X-Reset"}
    adapter = service.adapter(rate={"per_second": 100, "burst": 10, "headers": headers})

    first = await adapter.find(PERSON, cut_off=CUT_OFF)
    second = await adapter.find(PERSON, cut_off=CUT_OFF)

    assert isinstance(first, Frozen)
    assert isinstance(second, Retry)
    assert timedelta(seconds=110) < second.after <= timedelta(seconds=120)
    assert len(service.told) == 1


async def test_our_own_limit_makes_a_task_wait_outside_instead_of_inside(service: Service) -> None:
    service.answers["GET /people"] = lambda _: {"items": []}
    adapter = service.adapter(rate={"per_second": 0.01, "burst": 1})

    assert isinstance(await adapter.find(PERSON, cut_off=CUT_OFF), Frozen)
    assert isinstance(await adapter.find(PERSON, cut_off=CUT_OFF), Retry)
    assert len(service.told) == 1


BATCH = {
    "delete": {
        "request": {"method": "POST", "path": "/delete", "json": {"ids": "{{ ids }}"}},
        "many": 10,
        "results": {"rows": "results", "id": "id", "ok": "ok", "absent": "gone"},
    }
}


@pytest.mark.parametrize(
    ("results", "expected", "erased"),
    [
        ([{"id": 2, "ok": True}, {"id": 1, "ok": True}], Done, 2),
        ([{"id": 1, "ok": True}, {"id": 2, "gone": True}], Done, 1),
        ([{"id": 1, "ok": True}, {"id": 2, "error": "in use"}], Ambiguous, None),
        ([{"id": 1, "ok": True}], Ambiguous, None),
        ([{"id": 1, "error": "in use"}, {"id": 2, "error": "in use"}], NeedsPerson, None),
        ([{"id": 8, "ok": True}, {"id": 9, "ok": True}], NeedsPerson, None),
    ],
)
async def test_a_batch_is_judged_id_by_id(
    service: Service, results: list[dict[str, Any]], expected: type, erased: int | None
) -> None:
    service.answers |= {f"GET /people/{number}": always(row(number)) for number in (1, 2)}
    service.answers["POST /delete"] = lambda _: {"results": results}
    frozen = Frozen({"people": ((1,), (2,))})

    outcome = await service.adapter(people=BATCH).act("delete", frozen, cut_off=CUT_OFF, idempotency_key="k")

    assert isinstance(outcome, expected), outcome
    if isinstance(outcome, Done):
        assert [count.erased for count in outcome.receipt.datasets] == [erased]


async def test_an_answer_about_another_row_is_never_taken_for_ours(service: Service) -> None:
    service.answers["GET /people/1"] = lambda _: row(2)
    frozen = Frozen({"people": ((1,),)})

    outcome = await service.adapter().act("delete", frozen, cut_off=CUT_OFF, idempotency_key="k")

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "schema"
    assert "DELETE /people/1" not in service.told


JOB = {
    "delete": {
        "request": {"method": "DELETE", "path": "/people/{{ id }}"},
        "job": {
            "id": "job",
            "poll": {"path": "/jobs/{{ job }}"},
            "state": "state",
            "done": ["done"],
            "failed": ["failed"],
        },
    }
}


async def test_a_job_that_failed_and_was_ordered_again_has_not_failed(service: Service) -> None:
    states = {"a": "failed", "b": "working"}
    service.answers["GET /people/1"] = lambda _: row(1)
    service.answers |= {f"GET /jobs/{name}": partial(state_of, states, name) for name in states}
    names = iter(states)
    service.answers["DELETE /people/1"] = lambda _: {"job": next(names)}
    adapter, frozen = service.adapter(people=JOB), Frozen({"people": ((1,),)})

    first = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="k")
    assert isinstance(first, Ambiguous)
    failed = await adapter.prove("delete", Frozen(frozen.rows, jobs=first.jobs), cut_off=CUT_OFF)
    second = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="k")
    assert isinstance(second, Ambiguous)
    both = Frozen(frozen.rows, jobs=(*first.jobs, *second.jobs))
    working = await adapter.prove("delete", both, cut_off=CUT_OFF)
    states["b"] = "done"

    assert isinstance(failed, StillPresent)
    assert isinstance(working, Unknown)
    assert working.look_again
    assert await adapter.prove("delete", both, cut_off=CUT_OFF) == StillPresent(1)


@pytest.mark.parametrize("kind", PAGINGS)
async def test_searches_at_the_same_time_each_read_all_of_their_own_pages(
    service: Service, kind: str
) -> None:
    """Found by killing services: a position that two searches shared made one of them miss a page."""

    async def people(request: Request) -> Any:
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.002)
        at = int(request.query_params.get("at", 0))
        start = (at - 1) * 2 if kind in {"page", "counted"} else at
        onward = f"/people?email=x&at={start + 2}" if start + 2 < len(IDS) else None
        body = {
            "items": [row(number) for number in IDS[start : start + 2]],
            "next": start + 2 if onward else None,
        }
        link = {"Link": f'<{onward}>; rel="next"'} if onward else {}
        return JSONResponse({**body, "pages": 3, "url": onward}, headers=link)

    service.answers["GET /people"] = people
    find = {"email": {"request": {"path": "/people", "query": {"email": "{{ value }}"}}, "rows": "items"}}
    find["email"]["paging"] = PAGINGS[kind]
    adapter = service.adapter(people={"find": find})

    assert await asyncio.gather(*(found(adapter) for _ in range(8))) == [IDS] * 8


@pytest.mark.parametrize(("knows_itself", "said"), [(True, Done), (False, NeedsPerson)])
async def test_404_about_a_row_that_cannot_be_read_is_believed_of_an_interface_that_knows_itself(
    service: Service, *, knows_itself: bool, said: type
) -> None:
    if not knows_itself:
        del service.answers["GET /me"]
    adapter = service.adapter(people={"read": None})

    outcome = await adapter.act("delete", Frozen({"people": ((1,),)}), cut_off=CUT_OFF, idempotency_key="k")

    assert isinstance(outcome, said), outcome


@pytest.mark.parametrize(("knows_itself", "said"), [(True, Frozen), (False, NeedsPerson)])
async def test_nobody_by_404_is_believed_of_an_interface_that_knows_itself(
    service: Service, *, knows_itself: bool, said: type
) -> None:
    if not knows_itself:
        del service.answers["GET /me"]
    lookup = {"request": {"path": "/people/of/{{ value }}"}, "absent_on_404": True}
    adapter = service.adapter(people={"find": {"email": lookup}})

    assert isinstance(await adapter.find(PERSON, cut_off=CUT_OFF), said)


@pytest.mark.parametrize(("statuses", "said"), [({}, NeedsPerson), ({404: "absent"}, Done)])
async def test_404_to_a_request_about_many_rows_is_no_rows_end_unless_the_connector_says_so(
    service: Service, statuses: dict[int, str], said: type
) -> None:
    many = {
        "request": {"method": "POST", "path": "/forget", "json": "{{ ids }}"},
        "many": 5,
        "statuses": statuses,
    }
    adapter = service.adapter(people={"read": None, "delete": many})

    outcome = await adapter.act(
        "delete", Frozen({"people": ((1,), (2,))}), cut_off=CUT_OFF, idempotency_key="k"
    )

    assert isinstance(outcome, said), outcome


async def test_only_methods_that_take_a_key_of_idempotency_are_given_one(service: Service) -> None:
    keys: dict[str, str | None] = {}
    service.answers["GET /people/1"] = lambda _: row(1)
    for asked in ("DELETE /people/1", "POST /people/1"):
        service.answers[asked] = partial(remembering, keys, asked)
    erasing = {"request": {"method": "DELETE", "path": "/people/{{ id }}"}}
    both = {**erasing, "then": [{"method": "POST", "path": "/people/{{ id }}"}]}
    headed = {"idempotency_header": "Key", "idempotency_methods": ["POST"]}
    adapter = service.adapter(people={"delete": both}, **headed)

    await adapter.act("delete", Frozen({"people": ((1,),)}), cut_off=CUT_OFF, idempotency_key="k")

    assert keys["DELETE /people/1"] is None
    assert keys["POST /people/1"]


def remembering(keys: dict[str, str | None], asked: str, request: Request) -> Any:
    keys[asked] = request.headers.get("Key")
    return {}
