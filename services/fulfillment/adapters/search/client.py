"""One call to the store: bounded in time, told by status and kind, never in the answer's words, which quote values."""

import json
import logging
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2

from services.fulfillment.datamap.systems import System
from services.fulfillment.reached import not_reached
from services.fulfillment.rowwise.store import Meaning, StoreFailure
from services.fulfillment.told.authorities import trusted
from services.fulfillment.told.calling import NotWell, refuse_unsafe

# At DEBUG the client logs addresses, and in these stand the ids of documents.
for _talkative in ("httpx2", "httpcore2"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)

_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_MEANINGS: dict[int, Meaning] = {
    401: "credentials", 403: "credentials", 404: "schema", 408: "busy", 413: "refused", 429: "busy",
}  # fmt: skip
_SERVER_FAULT = 500

Json = Any


class Client:
    """The store's interface."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._http: httpx2.AsyncClient | None = None

    async def ask(self, path: str, body: Mapping[str, Any] | None = None, **query: str | int) -> Json:
        """Ask; nothing is changed by it.

        Raises:
            StoreFailure: it did not go well.
        """
        content = None if body is None else json.dumps(body).encode()
        return await self._call("POST" if content else "GET", path, content, query)

    async def tell(self, lines: Iterable[Mapping[str, Any]]) -> Json:
        """Change documents, each line for itself.

        Raises:
            StoreFailure: it did not go well as a whole; `unknown` where it may have.
        """
        content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        return await self._call("POST", "/_bulk", content, {"refresh": "true"}, changes=True)

    async def end_scroll(self, name: str) -> None:
        """The store may forget a search that was kept open."""
        await self._call("DELETE", "/_search/scroll", json.dumps({"scroll_id": name}).encode(), {})

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _call(
        self,
        method: str,
        path: str,
        content: bytes | None,
        query: Mapping[str, Any],
        *,
        changes: bool = False,
    ) -> Json:
        where = "bulk" if changes else "search"
        kind = "application/x-ndjson" if changes else "application/json"
        try:
            answer = await self._open().request(
                method, self._address() + path, content=content, params=dict(query),
                headers={"Content-Type": kind, **self._credentials()},
            )  # fmt: skip
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _unanswered(error, where, changes=changes) from None
        _judge(answer.status_code, where, changes=changes)
        try:
            return answer.json()
        except ValueError:
            raise StoreFailure("schema", f"{where}: the answer is not JSON") from None

    def _open(self) -> httpx2.AsyncClient:
        if self._http is None:
            limits = self._system.limits
            timeout = httpx2.Timeout(limits.statement_seconds, connect=limits.connect_seconds)
            pool = httpx2.Limits(max_connections=limits.connections)
            self._http = httpx2.AsyncClient(
                timeout=timeout, limits=pool, verify=trusted(), follow_redirects=False
            )
        return self._http

    def _address(self) -> str:
        address = self._system.address().rstrip("/")
        try:
            refuse_unsafe(address)
        except NotWell as refused:
            raise StoreFailure("credentials", refused.reason) from None
        return address

    def _credentials(self) -> dict[str, str]:
        secrets = {name: secret.read() for name, secret in self._system.secrets.items()}
        if "api_key" in secrets:
            return {"Authorization": f"ApiKey {secrets['api_key']}"}
        if not secrets:
            return {}
        pair = f"{secrets['user']}:{secrets['password']}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def is_success(status: int) -> bool:
    return httpx2.codes.is_success(status)


def _unanswered(error: Exception, where: str, *, changes: bool) -> StoreFailure:
    if changes and not isinstance(error, _NOTHING_SENT):
        return StoreFailure("unknown", f"{where}: no answer to what was sent ({type(error).__name__})")
    return StoreFailure("away", f"{where}: {not_reached('the store', error)}")


def _judge(status: int, where: str, *, changes: bool) -> None:
    if httpx2.codes.is_success(status):
        return
    fault: Meaning = "unknown" if changes else "away"
    meaning = fault if status >= _SERVER_FAULT else _MEANINGS.get(status, "refused")
    said = "the store does not let us in, or not do this" if meaning == "credentials" else "the store says"
    raise StoreFailure(meaning, f"{where}: {said} ({status})")
