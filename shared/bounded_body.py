"""The body of an HTTP request, as far as it stays within bounds of size and time: nobody may fill our memory."""

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

BODY_SECONDS: Final = 20
LONGEST_NUMBER: Final = 9


class BodyRefused(Exception):
    """A body that is not taken: the HTTP status, a word for programs, and what to do about it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


async def bounded_body(request: Request, *, most: int) -> bytes:
    """At most so many bytes, announced or in chunks, within twenty seconds.

    Raises:
        BodyRefused: 413, 408 or 400.
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or len(declared) > LONGEST_NUMBER or int(declared) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, most)
    except TimeoutError:
        raise BodyRefused(408, "request_timeout", "The body took too long to arrive.") from None
    except ClientDisconnect:
        raise BodyRefused(400, "incomplete_body", "The body ended before it was complete.") from None


async def _read(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> BodyRefused:
    return BodyRefused(413, "content_too_large", f"Send at most {most // 1024} KB.")
