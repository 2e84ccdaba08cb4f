"""What stands before every route: a bound on bodies, and headers that tell browsers to keep nothing."""

from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.intake.problems import ProblemError
from shared.bounded_body import BodyRefused, bounded_body

MOST_BYTES: Final = 256 * 1024

_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class SecurityHeaders:
    """Adds the headers that a route did not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message)
            await send(message)

        await self._app(scope, receive, dressed if scope["type"] == "http" else send)


def _add(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


async def json_body(request: Request) -> bytes:
    """The body of a JSON request, as far as it stays within bounds of kind, size and time.

    Raises:
        ProblemError: 415, 413, 408 or 400.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(415, "unsupported_media_type", "Send the body as application/json.")
    try:
        return await bounded_body(request, most=MOST_BYTES)
    except BodyRefused as refused:
        raise ProblemError(refused.status, refused.code, refused.detail) from None
