"""The HTTP interface: which paths there are, what they take and answer. What they do is `counter.py`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from services.intake import problems
from services.intake.answers import Receipt, RequestStatus
from services.intake.application import Application, read_strictly
from services.intake.collection import Collection, Link, Password
from services.intake.counter import Caller, Counter, Proof
from services.intake.description import describe
from services.intake.guards import SecurityHeaders, json_body
from services.intake.pace import Pace
from services.intake.packages import form_of
from services.intake.protected import protected

_SECRET: Final = HTTPBearer(auto_error=False, description="The secret that came with the request's receipt.")

Traceparent = Annotated[str, Header(include_in_schema=False)]
Presented = Annotated[HTTPAuthorizationCredentials | None, Depends(_SECRET)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=16,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body is the same request, however often it is sent.",
    ),
]


Signal = Annotated[
    str,
    Header(
        alias="Sec-GPC",
        max_length=16,
        description="1: the person's browser asks not to sell or share, which is an opt-out beside this request.",
    ),
]


def _caller(presented: Presented, traceparent: Traceparent = "") -> Caller:
    return Caller(presented.credentials if presented else None, traceparent)


Calls = Annotated[Caller, Depends(_caller)]


def dress(app: FastAPI) -> None:
    """Problems for every error, also in the description; headers for every answer."""
    problems.install(app)
    describe(app)
    app.add_middleware(SecurityHeaders)


def routes(counter: Counter, collection: Collection, jwks: dict[str, Any], pace: Pace) -> APIRouter:
    """All paths of intake."""
    router = APIRouter()
    _submitting(router, counter, pace)
    _following(router, counter)
    _collecting(router, collection)
    _downloading(router, collection)
    _telling(router, collection)

    @router.get("/.well-known/jwks.json", summary="The keys that submissions are encrypted to")
    async def keys() -> JSONResponse:
        return JSONResponse(jwks, headers={"cache-control": "public, max-age=300"})

    return router


def _submitting(router: APIRouter, counter: Counter, pace: Pace) -> None:
    @router.post(
        "/requests",
        status_code=201,
        summary="Make a privacy request; with an earlier one's secret, appeal against its answer or ask again",
        responses=problems.described(400, 401, 404, 409, 413, 415, 422, 429, 503),
        openapi_extra=_takes(Application),
    )
    async def submit(
        request: Request, response: Response, caller: Calls, key: IdempotencyKey = None, signal: Signal = ""
    ) -> Receipt:
        seconds = pace.take(request.client.host if request.client else "")
        if seconds:
            raise problems.too_fast(seconds)
        receipt = await counter.submit(await json_body(request), key, caller, signal=signal == "1")
        response.headers["location"] = f"/requests/{receipt.request_id}"
        return receipt


def _following(router: APIRouter, counter: Counter) -> None:
    @router.get(
        "/requests/{request_id}",
        summary="Where a request stands",
        responses=problems.described(401, 404, 503),
    )
    async def status(request_id: str, caller: Calls) -> RequestStatus:
        return await counter.status(request_id, caller)

    @router.post(
        "/requests/{request_id}/withdrawal",
        summary="Take a request back",
        responses=problems.described(401, 404, 409, 503),
    )
    async def withdraw(request_id: str, caller: Calls) -> RequestStatus:
        return await counter.withdraw(request_id, caller)

    @router.post(
        "/requests/{request_id}/verification",
        status_code=202,
        summary="Prove who asks",
        responses=problems.described(400, 401, 404, 409, 413, 415, 422, 429, 503),
        openapi_extra=_takes(Proof),
    )
    async def prove(request_id: str, request: Request, caller: Calls) -> RequestStatus:
        if caller.secret is None:
            raise problems.unauthorized()
        return await counter.prove(request_id, await json_body(request), caller)


def _collecting(router: APIRouter, collection: Collection) -> None:
    @router.post(
        "/requests/{request_id}/package/code",
        status_code=202,
        summary="Be sent a code to collect the answer with",
        responses=problems.described(401, 404, 410, 429, 503),
    )
    async def code(request_id: str, caller: Calls) -> RequestStatus:
        return await collection.send_code(request_id, caller)

    @router.post(
        "/requests/{request_id}/package/link",
        status_code=201,
        summary="Confirm who you are, and get a link to the answer for one use",
        responses=problems.described(400, 401, 404, 409, 410, 413, 415, 422, 429, 503),
        openapi_extra=_takes(Proof),
    )
    async def link(request_id: str, request: Request, caller: Calls) -> Link:
        if caller.secret is None:
            raise problems.unauthorized()
        return await collection.link(request_id, await json_body(request), caller)


def _telling(router: APIRouter, collection: Collection) -> None:
    @router.get(
        "/requests/{request_id}/letter",
        summary="What was answered, as a letter on paper",
        response_class=Response,
        responses=problems.described(401, 404, 410, 503),
    )
    async def letter(request_id: str, caller: Calls) -> Response:
        name = 'attachment; filename="habeas-letter.pdf"'
        content = await collection.letter(request_id, caller)
        return Response(content, media_type="application/pdf", headers={"content-disposition": name})


def _downloading(router: APIRouter, collection: Collection) -> None:
    @router.get(
        "/requests/{request_id}/package/{token}",
        summary="Collect the answer",
        response_class=StreamingResponse,
        responses=problems.described(404, 410, 503),
    )
    async def package(request_id: str, token: str) -> StreamingResponse:
        content = await collection.download(request_id, token)
        kind, ending = form_of(content.first)
        return _download(content.pieces(), kind, f"habeas-answer.{ending}")

    @router.post(
        "/requests/{request_id}/package/{token}",
        summary="Collect the answer under a password",
        response_class=StreamingResponse,
        responses=problems.described(400, 404, 410, 413, 415, 422, 503),
        openapi_extra=_takes(Password),
    )
    async def locked(request_id: str, token: str, request: Request) -> StreamingResponse:
        asked = read_strictly(await json_body(request), Password)
        if isinstance(asked, tuple):
            raise problems.unreadable(asked)
        content = await collection.download(request_id, token)
        return _download(protected(content, asked.password), "application/zip", "habeas-answer-protected.zip")


def _download(pieces: AsyncIterator[bytes], kind: str, name: str) -> StreamingResponse:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(pieces, media_type=kind, headers=headers)


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    """The body for OpenAPI: it is read by hand, within bounds, and not by the framework."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
