"""The help desk: users and their tickets, behind OAuth; a user is deleted by a job that takes its time."""

import secrets
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.cascadia.saas import NOT_FOUND, Row, Store, key_of, refused

PAGE = 2
POLLS = 2
"""How often a job is looked at before it is done."""


class HelpDesk:
    """Its interface over one file."""

    def __init__(self, store: Store, client: str, secret: str) -> None:
        self._store = store
        self._credentials = (client, secret)
        self._token = secrets.token_urlsafe(16)
        self.app = Starlette(
            routes=[
                Route("/oauth/token", self._grant, methods=["POST"]),
                Route("/api/me", self._me),
                Route("/api/users", self._users),
                Route("/api/users/{id:int}", self._user, methods=["GET", "DELETE"]),
                Route("/api/users/{id:int}/tickets", self._tickets),
                Route("/api/tickets/{id:int}", self._ticket, methods=["GET", "DELETE"]),
                Route("/api/jobs/{id:int}", self._job),
            ]
        )

    async def _grant(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if (form.get("client_id"), form.get("client_secret")) != self._credentials:
            return refused("invalid_client")
        return JSONResponse({"access_token": self._token, "token_type": "Bearer", "expires_in": 3600})

    async def _me(self, request: Request) -> Response:
        return self._stranger(request) or JSONResponse({"id": 1, "role": "agent"})

    async def _users(self, request: Request) -> Response:
        email = request.query_params.get("email", "").lower()
        return self._stranger(request) or self._page(
            request, self._store.rows("users", "lower(email) = ?", email)
        )

    async def _tickets(self, request: Request) -> Response:
        found = self._store.rows("tickets", "user_id = ?", request.path_params["id"])
        return self._stranger(request) or self._page(request, found)

    async def _ticket(self, request: Request) -> Response:
        row_id = request.path_params["id"]
        row = self._store.row("tickets", row_id)
        if stranger := self._stranger(request):
            return stranger
        if row is None:
            return NOT_FOUND
        if request.method == "GET":
            return JSONResponse({"ticket": row})
        told = ("tickets", "DELETE", row_id, key_of(request))
        self._store.change("DELETE FROM tickets WHERE id = ?", row_id, told=told)
        return Response(status_code=204)

    async def _user(self, request: Request) -> Response:
        row_id = request.path_params["id"]
        row = self._store.row("users", row_id)
        if stranger := self._stranger(request):
            return stranger
        if row is None:
            return NOT_FOUND
        if request.method == "GET":
            return JSONResponse({"user": row})
        return JSONResponse({"job": {"id": self._order(row_id, key_of(request)), "state": "queued"}}, 202)

    def _order(self, user: int, key: str) -> int:
        """The job for this user; under a key that is known, the one that was made for it."""
        known = self._store.rows("jobs", "idempotency_key = ?", key)
        if known:
            return int(known[0]["id"])
        told = ("users", "DELETE", user, key)
        return self._store.change(
            "INSERT INTO jobs (user_id, idempotency_key) VALUES (?, ?)", user, key or None, told=told
        )

    async def _job(self, request: Request) -> Response:
        """A job is done at its second look, and not before."""
        job = self._store.row("jobs", request.path_params["id"])
        if stranger := self._stranger(request):
            return stranger
        if job is None:
            return NOT_FOUND
        polls = job["polls"] + 1
        self._store.change("UPDATE jobs SET polls = ? WHERE id = ?", polls, job["id"])
        if polls == POLLS:
            self._store.change("DELETE FROM users WHERE id = ?", job["user_id"])
        return JSONResponse({"job": {"id": job["id"], "state": "completed" if polls >= POLLS else "working"}})

    def _page(self, request: Request, rows: list[Row]) -> Response:
        offset = int(request.query_params.get("offset", 0))
        return JSONResponse({"items": rows[offset : offset + PAGE], "total": len(rows)})

    def _stranger(self, request: Request) -> Response | None:
        known = request.headers.get("authorization") == f"Bearer {self._token}"
        return None if known else refused("invalid_token")
