"""Every error as RFC 9457 says: a status, a code, one sentence, and where it is wrong; never what was sent."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from services.intake.submission import Problem

MEDIA_TYPE: Final = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with what was sent."""

    field: str | None = Field(description="The field, where it is one that is known here.")
    reason: str = Field(description="One word of a closed set.")
    remedy: str = Field(description="What to do.")


class ProblemBody(BaseModel):
    """A problem (RFC 9457)."""

    type: str = Field(description="urn:habeas:problem: and the code.")
    title: str
    status: int
    detail: str
    errors: list[Fault] = Field(default_factory=list)


class ProblemError(Exception):
    """Ends a request with a problem; made of words of ours only."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Iterable[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The problem as an answer."""
        body = ProblemBody(
            type=f"urn:habeas:problem:{self.code}",
            title=self.code.replace("_", " ").capitalize(),
            status=self.status,
            detail=self.detail,
            errors=[Fault(field=one.field, reason=one.reason, remedy=one.remedy) for one in self.faults],
        )
        content = body.model_dump(exclude_defaults=True)
        return JSONResponse(content, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def unreadable(faults: tuple[Problem, ...]) -> ProblemError:
    """What was sent cannot be understood (400), or can, but is not a request (422)."""
    if any(fault.reason == "not_json" for fault in faults):
        return ProblemError(400, "not_json", "The body is not one JSON document in UTF-8.")
    return ProblemError(422, "invalid_request", "Some of what was sent cannot be used.", faults=faults)


def not_found() -> ProblemError:
    """The same for an unknown id and a wrong secret: nobody learns which requests exist."""
    return ProblemError(404, "not_found", "There is no such request, or the secret is not its secret.")


def unauthorized() -> ProblemError:
    detail = "Give the request's secret as a bearer token in the header Authorization."
    return ProblemError(401, "secret_missing", detail, headers={"WWW-Authenticate": "Bearer"})


def unavailable() -> ProblemError:
    detail = "It is not known whether this was taken; send it again with the same Idempotency-Key."
    return ProblemError(503, "unavailable", detail, headers={"Retry-After": "5"})


def too_fast(seconds: int) -> ProblemError:
    detail = f"Too many requests came from your address; send this one again in {seconds} seconds."
    return ProblemError(429, "too_many_requests", detail, headers={"Retry-After": str(seconds)})


def failed() -> ProblemError:
    return ProblemError(500, "failed", "Something broke here; the privacy staff has been told.")


REFUSALS: Final[Mapping[str, tuple[int, str]]] = {
    "unknown_request": (404, "There is no such request, or the secret is not its secret."),
    "idempotency_key_reused": (422, "This Idempotency-Key was used with another content; take a new one."),
    "not_answered_yet": (409, "The earlier request is not answered yet; wait for its answer."),
    "nothing_denied": (409, "Nothing was denied, so there is nothing to appeal against; ask again instead."),
    "no_appeal": (409, "The law of that request creates no appeal to the business; ask again, or complain."),
    "appeal_of_an_appeal": (409, "An appeal is decided once; you can complain to the regulator."),
    "already_appealed": (409, "The answer to that request was appealed against already."),
    "too_late": (409, "The request has ended already, so it cannot be withdrawn any more."),
    "not_open": (409, "Nothing has to be proved for this request any more."),
    "not_verified": (409, "This right is never verified: there is nothing to prove."),
    "no_package": (404, "There is nothing to collect for this request."),
    "code_expired": (409, "No code is good any more; ask for a new one."),
    "code_spent": (429, "This code was tried too often; ask for a new one."),
    "too_many_codes": (
        429,
        "Too many codes were asked for; sign in to your account, or ask the privacy staff.",
    ),
    "link_unknown": (404, "This link was used already, or never given; ask for a new one."),
    "link_expired": (410, "The time of this link is over; ask for a new one."),
    "too_many_proofs": (429, "Too many proofs were presented for this request; ask the privacy staff."),
}


def refused(word: str) -> ProblemError:
    """A refusal of the domain in the words of HTTP."""
    if word == "unknown_request":
        return not_found()
    status, detail = REFUSALS[word]
    return ProblemError(status, word, detail)


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an operation that are problems, for OpenAPI."""
    return {status: {"description": _TITLES[status], "model": ProblemBody} for status in statuses}


def install(app: FastAPI) -> None:
    """Make every error of an application a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _unexpected)


def _problem(_request: Request, error: Exception) -> Response:
    return error.response() if isinstance(error, ProblemError) else failed().response()


def _http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    title = _TITLES.get(status, "The request could not be served")
    code = title.lower().replace(" ", "_")
    return ProblemError(status, code, f"{title}.", headers=headers).response()


def _remedy(fault: Mapping[str, Any]) -> str:
    """What the API asks for, from its own limits: never a word of what was sent."""
    asked = _REMEDIES.get(fault["type"], "give it as the API describes")
    return asked.format_map(fault.get("ctx", {}))


def _validation(_request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    faults = [Problem("wrong_form", str(one["loc"][-1]), _remedy(one)) for one in found]
    return ProblemError(
        422, "invalid_request", "Some of what was sent cannot be used.", faults=faults
    ).response()


def _unexpected(_request: Request, _error: Exception) -> Response:
    return failed().response()


_REMEDIES: Final = {
    "missing": "send it",
    "string_too_short": "give at least {min_length} characters",
    "string_too_long": "give at most {max_length} characters",
    "string_pattern_mismatch": "give it in the form {pattern}",
}
_TITLES: Final = {
    400: "Bad request",
    401: "Secret missing",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    410: "Gone",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Invalid request",
    429: "Too many",
    500: "Failed",
    503: "Unavailable",
}
