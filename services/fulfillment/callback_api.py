"""Where systems say that something changed: whoever is believed has its orders looked at soon."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.fulfillment.callbacks import ReceivesCallbacks
from shared.bounded_body import BodyRefused, bounded_body

MOST_BYTES: Final = 64_000
DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "Believed: the orders are looked at soon."},
    400: {"description": "Signed, and no callback about an order of ours."},
    403: {"description": "Not signed by the processor over these bytes."},
    404: {"description": "No system of that name is given a URL for callbacks."},
    413: {"description": f"More than {MOST_BYTES} bytes."},
    503: {"description": "The processor's certificate is not there; ours to mend."},
}
Look = Callable[[str], Awaitable[None]]


def callback_routes(receivers: Mapping[str, ReceivesCallbacks], look: Look) -> APIRouter:
    """`POST /callbacks/{system}`; `look` has a system's orders looked at soon."""
    router = APIRouter(tags=["callbacks"])

    @router.post("/callbacks/{system}", status_code=202, response_class=Response, responses=DOCUMENTED)
    async def callback(system: str, request: Request) -> Response:
        """A callback of a connected system, signed as its protocol says; 403 for what it did not sign."""
        receiver = receivers.get(system)
        if receiver is None:
            return _problem(404, "unknown_system", "no system of that name is given a URL for callbacks")
        try:
            raw = await bounded_body(request, most=MOST_BYTES)
        except BodyRefused as refused:
            return _problem(refused.status, refused.code, refused.detail)
        fault = receiver.refusal(raw, {name.lower(): text for name, text in request.headers.items()})
        if fault is not None:
            return _problem(fault.status, fault.code, fault.detail)
        await look(system)
        return Response(status_code=202)

    return router


def _problem(status: int, code: str, detail: str) -> Response:
    """Nothing of what was sent is repeated."""
    title = code.replace("_", " ").capitalize()
    problem = {"type": f"urn:habeas:problem:{code}", "title": title, "status": status, "detail": detail}
    return JSONResponse(problem, status_code=status, media_type="application/problem+json")
