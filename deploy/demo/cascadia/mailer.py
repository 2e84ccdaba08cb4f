"""The marketing-automation service: contacts and what was sent to them, behind an API key, with batches and cursors."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.cascadia.saas import NOT_FOUND, Store, body_of, key_of, refused

PAGE = 2
_CHANGE = "UPDATE contacts SET sale_opt_out = ?, first_name = ? WHERE id = ?"


class Mailer:
    """Its interface over one file."""

    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key
        self.app = Starlette(
            routes=[
                Route("/v1/account", self._account),
                Route("/v1/contacts/search", self._search_contacts, methods=["POST"]),
                Route("/v1/activities/search", self._search_activities, methods=["POST"]),
                Route("/v1/activities/batch/delete", self._delete_activities, methods=["POST"]),
                Route("/v1/activities/{id:int}", self._activity),
                Route("/v1/contacts/{id:int}", self._contact, methods=["GET", "PATCH", "DELETE"]),
            ]
        )

    async def _account(self, request: Request) -> Response:
        return self._stranger(request) or JSONResponse({"account": "cascadia"})

    async def _search_contacts(self, request: Request) -> Response:
        asked = await body_of(request)
        email = str(asked.get("email", "")).lower()
        return self._stranger(request) or self._page(asked, "contacts", "lower(email) = ?", email)

    async def _search_activities(self, request: Request) -> Response:
        asked = await body_of(request)
        return self._stranger(request) or self._page(
            asked, "activities", "contact_id = ?", asked.get("contact_id")
        )

    def _page(self, asked: Any, table: str, where: str, value: Any) -> Response:
        after = int(asked.get("after") or 0)
        found = self._store.rows(table, f"{where} AND id > ?", value, after)
        more = {"after": found[PAGE - 1]["id"]} if len(found) > PAGE else {}
        return JSONResponse({"results": found[:PAGE], "paging": more})

    async def _activity(self, request: Request) -> Response:
        row = self._store.row("activities", request.path_params["id"])
        return self._stranger(request) or (JSONResponse(row) if row else NOT_FOUND)

    async def _delete_activities(self, request: Request) -> Response:
        if stranger := self._stranger(request):
            return stranger
        ids = (await body_of(request)).get("ids", [])
        return JSONResponse({"results": [self._delete_activity(each, request) for each in ids]})

    def _delete_activity(self, row_id: Any, request: Request) -> dict[str, Any]:
        if self._store.row("activities", row_id) is None:
            return {"id": row_id, "status": "not_found"}
        told = ("activities", "DELETE", row_id, key_of(request))
        self._store.change("DELETE FROM activities WHERE id = ?", row_id, told=told)
        return {"id": row_id, "status": "deleted"}

    async def _contact(self, request: Request) -> Response:
        if stranger := self._stranger(request):
            return stranger
        row_id = request.path_params["id"]
        row = self._store.row("contacts", row_id)
        if row is None:
            return NOT_FOUND
        if request.method == "PATCH":
            told = ("contacts", "UPDATE", row_id, key_of(request))
            new = {**row, **(await body_of(request))}
            values = bool(new["sale_opt_out"]), str(new["first_name"]), row_id
            self._store.change(_CHANGE, *values, told=told)
            return JSONResponse(self._store.row("contacts", row_id))
        if request.method == "DELETE":
            told = ("contacts", "DELETE", row_id, key_of(request))
            self._store.change("DELETE FROM contacts WHERE id = ?", row_id, told=told)
            return Response(status_code=204)
        return JSONResponse(row)

    def _stranger(self, request: Request) -> Response | None:
        return None if request.headers.get("x-api-key") == self._key else refused("unknown key")
