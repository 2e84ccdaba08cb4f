"""Rewind Sessions: it replays visits to the website, and is asked by OpenDSR to erase and to give copies.

It signs its answers and its callbacks, says 400 to an order that it has, and spells the states of copies as some
processors do (`in-progress`). It is believed for no word: whoever gave an order looks at it.
"""

import base64
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.saas import Served
from deploy.demo.opendsr_signing import Signing
from deploy.demo.session_books import Books
from deploy.demo.session_calls import CALLBACK, Calls, spelt
from deploy.demo.told_proof import Receipts, still_there, wrongly_heard
from deploy.demo.watch import Watch
from shared.clock import AdvancingClock
from shared.private_files import write_private
from shared.settings import Settings

SYSTEM = "cascadia-sessions"
DOMAIN, USER = "rewind-sessions.example", "cascadia"
RIGHTS = {"erasure": "delete", "access": "know_specific"}
TAKES = timedelta(days=1)


class Sessions:
    """The processor: its pages, its callbacks, and its books."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.home / "cascadia"
        self._clock = AdvancingClock(settings.clock_file)
        self._password = secrets.token_urlsafe(24)
        self._signing = Signing(DOMAIN)
        self._before: frozenset[str] = frozenset()
        self._address = ""
        self.books = Books(self._folder / "sessions.sqlite")
        self.calls = Calls(settings, self.books, self._signing, self._clock)
        self._served = Served(Starlette(routes=list(self._routes())))

    def furnish(self, people: Iterable[Person]) -> None:
        """Everybody visited the website twice; and say where it listens, by which account and certificate."""
        self._before = frozenset(person.email.lower() for person in people)
        self.books.open(sorted(self._before))
        self._address = f"{self._served.start()}/v2"
        said = {"url": self._address, "user": USER, "password": self._password}
        for name, text in {**said, "certificate": self._signing.certificate().decode()}.items():
            write_private(self._folder / f"{SYSTEM}.{name}", text.encode())

    def stop(self) -> None:
        """Listen no more."""
        self._served.stop()

    async def work(self, watch: Watch) -> None:
        """Do what was ordered and call back about it, until canceled."""
        del watch
        await self.calls.work()

    def findings(self, receipts: Receipts) -> Iterator[str]:
        """What is wrong, by its sessions, its orders and its calls."""
        # A stranger, too, is asked for: it finds nothing, and says so.
        strange = {("access", ask.person.email.lower()) for ask in receipts.values() if ask.role == "unknown"}
        heard = [one for one in self.books.heard() if one not in strange]
        told = [(RIGHTS[kind], email) for kind, email in heard]
        yield from wrongly_heard(SYSTEM, tuple(RIGHTS.values()), told, receipts)
        yield from still_there(SYSTEM, self.books.people(), self._before, receipts)
        if unread := self.books.unread():
            yield f"{SYSTEM} did {len(unread)} orders at whose end nobody looked"
        if reasons := self.books.refused():
            yield f"{SYSTEM} refused {len(reasons)} calls, the first because {reasons[0]}"
        if wrong := [status for status in self.books.answers() if status != 202]:  # noqa: PLR2004 - as OpenDSR says
            yield f"{SYSTEM} called back {len(wrong)} times in vain, the first was answered with {wrong[0]}"

    def sentence(self) -> str:
        """What the proof says of it."""
        kinds = [kind for kind, _ in self.books.heard()]
        return (
            f"a session-replay processor took {kinds.count('erasure')} erasures and {kinds.count('access')} orders for"
            f" copies by OpenDSR, each once; {len(self.books.answers())} signed callbacks were believed"
        )

    def _routes(self) -> Iterator[Route]:
        yield Route("/v2/discovery", self._discovery)
        yield Route("/v2/certificate.pem", self._certificate)
        yield Route("/v2/requests", self._take, methods=["POST"])
        yield Route("/v2/requests/{order}", self._tell)
        yield Route("/v2/copies/{order}", self._copy)

    async def _discovery(self, request: Request) -> Response:
        del request
        said = {
            "api_version": "2.0",
            "supported_identities": [{"identity_type": "email", "identity_format": "raw"}],
            "supported_subject_request_types": list(RIGHTS),
            "processor_certificate": f"https://{DOMAIN}/v2/certificate.pem",
        }
        return self._signed(said)

    async def _certificate(self, request: Request) -> Response:
        del request
        return Response(self._signing.certificate(), media_type="application/x-pem-file")

    async def _take(self, request: Request) -> Response:
        raw = await request.body()
        if self._unknown(request):
            return self._refuse("its account is not ours", 401)
        try:
            asked = json.loads(raw)
            email = _person(asked)
        except (ValueError, KeyError, TypeError):
            return self._refuse("it is not an order in OpenDSR's words", 400)
        order = str(asked["subject_request_id"])
        if not self.books.take(order, asked["subject_request_type"], email):
            return _error("this order was given before")
        now = self._clock.now()
        said = {**_times(now), "subject_request_id": order, "encoded_request": base64.b64encode(raw).decode()}
        return self._signed(said, 201)

    async def _tell(self, request: Request) -> Response:
        if self._unknown(request):
            return self._refuse("its account is not ours", 401)
        found = self.books.look(request.path_params["order"])
        if found is None:
            return Response(status_code=404)
        order, kind, state = found
        said = {
            "subject_request_id": order,
            "request_status": spelt(kind, state),
            **_times(self._clock.now()),
        }
        if (kind, state) == ("access", "completed"):
            number = len(self.books.copy(order))
            said |= {
                "results_count": number,
                "results_url": f"{self._address}/copies/{order}" if number else None,
            }
        return self._signed(said)

    async def _copy(self, request: Request) -> Response:
        if self._unknown(request):
            return self._refuse("its account is not ours", 401)
        return JSONResponse(self.books.copy(request.path_params["order"]))

    def _unknown(self, request: Request) -> bool:
        ours = base64.b64encode(f"{USER}:{self._password}".encode()).decode()
        return not secrets.compare_digest(request.headers.get("authorization", ""), f"Basic {ours}")

    def _refuse(self, reason: str, status: int) -> Response:
        self.books.refuse(reason)
        return _error(reason, status)

    def _signed(self, said: Mapping[str, Any], status: int = 200) -> Response:
        raw = json.dumps(said).encode()
        headers = {"Content-Type": "application/json", **self._signing.headers(raw)}
        return Response(raw, status, headers=headers)


def _person(asked: Mapping[str, Any]) -> str:
    """Whom an order is about.

    Raises:
        ValueError, KeyError, TypeError: it is no order that this processor serves.
    """
    (one,) = asked["subject_identities"]
    spelt = (one["identity_type"], one["identity_format"], asked["regulation"], asked["api_version"])
    if spelt != ("email", "raw", "ccpa", "2.0") or asked["status_callback_urls"] != [CALLBACK]:
        raise ValueError("it is spelt otherwise")
    if asked["subject_request_type"] not in RIGHTS or not asked["subject_request_id"]:
        raise ValueError("it is of no kind that is served")
    return str(one["identity_value"]).lower()


def _times(now: datetime) -> dict[str, Any]:
    return {
        "controller_id": USER,
        "received_time": now.isoformat(timespec="seconds"),
        "expected_completion_time": (now + TAKES).isoformat(timespec="seconds"),
    }


def _error(message: str, status: int = 400) -> Response:
    return JSONResponse({"error": {"code": status, "message": message, "errors": []}}, status)
