"""Holds over HTTP: the same signed commands as on Kafka, and the list of those that stand.

A command comes in CloudEvents' binary mode: its headers under `ce-`, its body as it is signed. So one signature is
good for both ways, and a command that came by both counts once.
"""

from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.fulfillment.domain import FulfillmentCase
from services.fulfillment.holding import HoldRegister
from shared.bounded_body import BodyRefused, bounded_body
from shared.described_problems import UNREADABLE
from shared.events.commands import PlaceHold, PlaceStandingHold, ReleaseHold, ReleaseStandingHold
from shared.events.envelope import Raw, Unreadable
from shared.events.topics import COMMANDS_FULFILLMENT
from shared.machine.batcher import Batcher
from shared.machine.incoming import to_incoming
from shared.machine.parts import Result

MOST_BYTES: Final = 64_000
COMMANDS: Final = (PlaceHold, ReleaseHold, PlaceStandingHold, ReleaseStandingHold)
STATUS: Final = {"signature_invalid": 403, "source_not_allowed": 403}
# Signed and kept, and not in force: nobody may take it for a hold that stands.
UNDECIDED: Final = {
    "parked": (202, "kept", "the request waits for a person: the hold is not in force until it is decided"),
    "released": (409, "released", "the hold of this id was released: place it anew under another id"),
    "refused_before": (
        409,
        "refused_before",
        "the command of this id was refused and changed nothing: mend it and send it under another id",
    ),
    "dead": (409, "set_aside", "it could not be decided and is a dead letter: nothing is on hold by it"),
}
DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Kept and not in force: the request waits for a person."},
    403: {"description": "Not signed by a key that may decide this."},
    409: {"description": "Refused, with the reason."},
    413: {"description": f"More than {MOST_BYTES} bytes."},
    422: {"description": "No command of these types in CloudEvents' binary mode."},
}


def hold_routes(register: HoldRegister, batcher: Batcher) -> APIRouter:
    """`POST /holds`, `GET /holds`."""
    router = APIRouter(tags=["holds"])

    @router.get("/holds", responses=UNREADABLE)
    async def listed(*, released: bool = False) -> dict[str, Any]:
        """The standing holds in force, and with `released=true` those that were."""
        return {"holds": [asdict(one) for one in await register.listed(released=released)]}

    @router.post("/holds", response_class=Response, responses=DOCUMENTED)
    async def decide(request: Request) -> Response:
        """Place or release a hold by a signed command; its answer after the commit."""
        try:
            content = await bounded_body(request, most=MOST_BYTES)
        except BodyRefused as refused:
            return _problem(refused.status, refused.code, refused.detail)
        return await _decided(batcher, request, content)

    return router


async def _decided(batcher: Batcher, request: Request, content: bytes) -> Response:
    message = to_incoming(_raw(request, content))
    if isinstance(message, Unreadable):
        return _problem(422, message.reason, f"at fault: {message.field or 'the command'}")
    if not isinstance(message.body, COMMANDS):
        return _problem(422, "not_a_hold", "send a command that places or releases a hold")
    result = await batcher.submit(message)
    if result.refusal is not None:
        return _problem(STATUS.get(result.refusal, 409), result.refusal, "nothing was changed")
    state = _state(message.body, result)
    if state in UNDECIDED:
        return _problem(*UNDECIDED[state])
    return JSONResponse({"command_id": str(message.id), "hold_id": str(_hold_of(message.body, message))})


def _state(body: Any, result: Result) -> str:
    """What became of the command, as far as its case shows: it may have come before, and have been refused then."""
    if result.status not in {"applied", "duplicate"}:
        return result.status
    case = result.case or FulfillmentCase()
    if _is_over(body, case):
        return "released"
    return "applied" if result.status == "applied" or _counted(body, case) else "refused_before"


def _counted(body: Any, case: FulfillmentCase) -> bool:
    """Whether the case has taken such a command."""
    match body:
        case PlaceHold():
            return body.hold_id in case.placed_holds
        case ReleaseHold():
            return body.hold_id in case.released_holds
        case PlaceStandingHold():
            return case.standing is not None
    return case.standing == "released"


def _is_over(body: Any, case: FulfillmentCase) -> bool:
    """Whether what is to be placed was released, now or before it was heard of."""
    match body:
        case PlaceHold():
            return body.hold_id in case.released_holds
        case PlaceStandingHold():
            return case.standing == "released"
    return False


def _hold_of(body: Any, message: Any) -> Any:
    return getattr(body, "hold_id", message.request_id)


def _raw(request: Request, content: bytes) -> Raw:
    """The record that Kafka would have carried."""
    named = [(name, value) for name, value in request.headers.items() if name.startswith("ce-")]
    headers = tuple((f"ce_{name[3:]}", value.encode()) for name, value in named)
    key = dict(named).get("ce-subject", "").encode()
    return Raw(COMMANDS_FULFILLMENT.name, 0, 0, key, headers, content)


def _problem(status: int, code: str, detail: str) -> Response:
    title = code.replace("_", " ").capitalize()
    problem = {"type": f"urn:habeas:problem:{code}", "title": title, "status": status, "detail": detail}
    return JSONResponse(problem, status_code=status, media_type="application/problem+json")
