"""A double of a search store: as much of the interface as the adapter uses, over indices in memory.

Written from the public reference pages of Elasticsearch 8 and OpenSearch 3. It refreshes for nobody who does not ask,
so that an adapter that forgets to is found out; `make stores` runs the same suite against the real one.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.shop import EMAIL

Document = dict[str, Any]
_TYPES = {bool: "boolean", int: "long", float: "double", str: "text"}


@dataclass
class Index:
    """Documents as they are, and as searches see them."""

    written: dict[str, Document] = field(default_factory=dict)
    visible: dict[str, Document] = field(default_factory=dict)
    blocked: bool = False
    nested: tuple[str, ...] = ()

    def refresh(self) -> None:
        self.visible = copy.deepcopy(self.written)


class SearchServer:
    """The store, for whoever shows the password."""

    def __init__(self) -> None:
        self.indices: dict[str, Index] = {}
        self.told: list[str] = []
        self.trouble: list[Response] = []
        self.bulk_trouble: list[Response] = []
        self._sequence = 0
        self._kept: dict[str, list[Document]] = {}
        self.app = Starlette(
            routes=[
                Route("/", self._root),
                Route("/_bulk", self._bulk, methods=["POST"]),
                Route("/_search/scroll", self._scroll, methods=["POST", "DELETE"]),
                Route("/{index}/_refresh", self._refresh, methods=["POST"]),
                Route("/{index}/_mapping", self._mapping),
                Route("/{index}/_search", self._search, methods=["POST"]),
            ]
        )

    def put(self, index: str, name: str, source: Mapping[str, Any]) -> None:
        """Write a document."""
        self._sequence += 1
        whole = {"_index": index, "_id": name, "_seq_no": self._sequence, "_primary_term": 1}
        self.indices.setdefault(index, Index()).written[name] = {**whole, "_source": dict(source)}

    def _stopped(self, request: Request) -> Response | None:
        self.told.append(f"{request.method} {request.url.path}")
        if self.trouble:
            return self.trouble.pop(0)
        if request.headers.get("authorization") != "ApiKey made-up":
            return JSONResponse({"error": "who are you"}, 401)
        name = request.path_params.get("index")
        return JSONResponse({"error": f"no {name}"}, 404) if name and name not in self.indices else None

    async def _root(self, request: Request) -> Response:
        return self._stopped(request) or JSONResponse({"version": {"number": "made-up"}})

    async def _refresh(self, request: Request) -> Response:
        if stopped := self._stopped(request):
            return stopped
        self.indices[request.path_params["index"]].refresh()
        return JSONResponse({"_shards": {"failed": 0}})

    async def _mapping(self, request: Request) -> Response:
        if stopped := self._stopped(request):
            return stopped
        name = request.path_params["index"]
        index, properties = self.indices[name], dict[str, Any]()
        for document in index.written.values():
            _describe(document["_source"], properties, index.nested)
        return JSONResponse({name: {"mappings": {"properties": properties}}})

    async def _search(self, request: Request) -> Response:
        if stopped := self._stopped(request):
            return stopped
        body = json.loads(await request.body())
        index = self.indices[request.path_params["index"]]
        found = [each for each in index.visible.values() if _holds(body["query"], each, index.nested)]
        page, rest = found[: body["size"]], found[body["size"] :]
        more = {}
        if "scroll" in request.query_params:
            more["_scroll_id"] = f"scroll-{len(self._kept)}"
            self._kept[more["_scroll_id"]] = rest
        return JSONResponse({"timed_out": False, "_shards": {"failed": 0}, "hits": {"hits": page}, **more})

    async def _scroll(self, request: Request) -> Response:
        if stopped := self._stopped(request):
            return stopped
        name = json.loads(await request.body())["scroll_id"]
        if request.method == "DELETE":
            del self._kept[name]
            return JSONResponse({"succeeded": True})
        page, self._kept[name] = self._kept[name][:1000], self._kept[name][1000:]
        return JSONResponse({"_scroll_id": name, "_shards": {"failed": 0}, "hits": {"hits": page}})

    async def _bulk(self, request: Request) -> Response:
        if stopped := self._stopped(request):
            return stopped
        lines = [json.loads(line) for line in (await request.body()).splitlines()]
        items = []
        while lines:
            ((verb, named),) = lines.pop(0).items()
            status = self._one(verb, named, lines.pop(0)["doc"] if verb == "update" else None)
            items.append({verb: {"_id": named["_id"], "status": status, "reason": f"about {EMAIL}"}})
        for index in self.indices.values():
            index.refresh()
        if self.bulk_trouble:
            return self.bulk_trouble.pop()
        return JSONResponse({"errors": True, "items": items})

    def _one(self, verb: str, named: Mapping[str, Any], changes: Mapping[str, Any] | None) -> int:
        index = self.indices[named["_index"]]
        there = index.written.get(named["_id"])
        if index.blocked and verb == "delete":
            return 403
        if there is None:
            return 404
        if (there["_seq_no"], there["_primary_term"]) != (named["if_seq_no"], named["if_primary_term"]):
            return 409
        if verb == "delete":
            del index.written[named["_id"]]
        else:
            self.put(named["_index"], named["_id"], {**there["_source"], **(changes or {})})
        return 200


def _describe(source: Mapping[str, Any], properties: dict[str, Any], nested: tuple[str, ...]) -> None:
    for name, value in source.items():
        inner = value if isinstance(value, list) else [value]
        for each in inner:
            if isinstance(each, Mapping):
                said = properties.setdefault(name, {"properties": {}})
                said |= {"type": "nested"} if name in nested else {}
                _describe(each, said["properties"], nested)
            elif each is not None:
                kind = _TYPES[type(each)]
                also = {"fields": {"keyword": {"type": "keyword"}}} if kind == "text" else {}
                properties[name] = {"type": kind, **also}


def _holds(query: Mapping[str, Any], hit: Mapping[str, Any], nested: tuple[str, ...]) -> bool:
    ((kind, said),) = query.items()
    match kind:
        case "match_all" | "match_none":
            return bool(kind == "match_all")
        case "bool":
            every = all(_holds(each, hit, nested) for each in said.get("filter", ()))
            return every and ("should" not in said or any(_holds(e, hit, nested) for e in said["should"]))
        case "nested":
            return said["path"] in nested and _holds(said["query"], hit, ())
    ((name, wanted),) = said.items()
    if name.split(".")[0] in nested:
        return False
    return any(_matches(kind, wanted, value) for value in _values(hit, name.removesuffix(".keyword")))


def _matches(kind: str, wanted: Any, value: Any) -> bool:
    written = str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "terms":
        return bool(written in wanted)
    if kind == "term":
        return written.lower() == str(wanted["value"]).lower()
    return kind == "regexp" and re.fullmatch(wanted["value"], written) is not None


def _values(hit: Mapping[str, Any], name: str) -> list[Any]:
    found: list[Any] = [hit["_id"]] if name == "_id" else [hit["_source"]]
    for part in [] if name == "_id" else name.split("."):
        inner = [each for one in found for each in (one if isinstance(one, list) else [one])]
        found = [each[part] for each in inner if isinstance(each, Mapping) and part in each]
    flat = [each for one in found for each in (one if isinstance(one, list) else [one])]
    return [each for each in flat if each is not None]
