"""Rewind Sessions does what was ordered, and calls back at every change, again until somebody has looked.

What it sends to the business's name over TLS is brought to fulfillment here, as a proxy before it does in production.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

import httpx2

from deploy.demo.opendsr_signing import Signing
from deploy.demo.session_books import Books
from shared.clock import AdvancingClock
from shared.settings import Settings

CALLBACK = "https://privacy.cascadia.example/callbacks/cascadia-sessions"
COME_TOGETHER = timedelta(seconds=31)
"""Callbacks that come within half a minute are one look at the orders."""

EVERY, UNTIL_THE_CLOCK_MOVES = 1.0, 5.0


class Calls:
    """The callbacks of one processor."""

    def __init__(self, settings: Settings, books: Books, signing: Signing, clock: AdvancingClock) -> None:
        self._fulfillment = settings.home / "run" / "fulfillment.url"
        self._books, self._signing, self._clock = books, signing, clock

    async def work(self) -> None:
        """Until canceled; where all that is left to do is to look, the half minute until then is let pass."""
        time, moves_at = asyncio.get_running_loop().time, 0.0
        async with httpx2.AsyncClient(timeout=10) as http:
            while True:
                moved = await asyncio.to_thread(self._books.advance)
                waiting = [] if moved else await asyncio.to_thread(self._books.unread)
                await self.call(http, [*moved, *waiting])
                if waiting and time() >= moves_at:
                    self._clock.advance(COME_TOGETHER)
                    moves_at = time() + UNTIL_THE_CLOCK_MOVES
                await asyncio.sleep(EVERY)

    async def call(self, http: httpx2.AsyncClient, orders: Iterable[tuple[str, str, str]]) -> None:
        """Say how these orders stand; whoever cannot be reached now is called again."""
        for order, kind, state in orders:
            raw = self._said(order, kind, state)
            headers = {"Content-Type": "application/json", **self._signing.headers(raw)}
            try:
                answer = await http.post(self._address(), content=raw, headers=headers)
            except (httpx2.TransportError, OSError):
                return
            await asyncio.to_thread(self._books.called, order, answer.status_code)

    def _address(self) -> str:
        """Where the proxy brings it."""
        return self._fulfillment.read_text() + urlsplit(CALLBACK).path

    def _said(self, order: str, kind: str, state: str) -> bytes:
        said = {
            "controller_id": "cascadia",
            "status_callback_url": CALLBACK,
            "subject_request_id": order,
            "request_status": spelt(kind, state),
            "expected_completion_time": self._clock.now().isoformat(timespec="seconds"),
        }
        return json.dumps(said).encode()


def spelt(kind: str, state: str) -> str:
    """A state as this processor writes it: of a copy otherwise than the specification, as some do."""
    return "in-progress" if (kind, state) == ("access", "in_progress") else state
