"""One collection: its documents looked up after a refresh, and changed only where nobody has changed them since."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from services.fulfillment.adapters.search.client import Client, is_success
from services.fulfillment.adapters.search.fields import IndexField, Query, equal, fields_of, identity
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.datamap.spelling import is_spelling_of
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.documents import DOCUMENT, DocumentShape, changed
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape
from services.fulfillment.rowwise.store import Meaning, StoreFailure
from services.fulfillment.too_much import matches_of_one

HIT = "\0hit"
PAGE = 1000
LOOKED_UP_AT_ONCE = 500
_SCROLL = "1m"
_GONE, _CONFLICT, _BUSY = 404, 409, 429


class IndexTable:
    """One collection of the map."""

    def __init__(
        self, collection: MapCollection, index: str, reach: tuple[Client, int], *, complete: bool
    ) -> None:
        self.collection = collection
        self.documents = DocumentShape(collection, collection.primary_key, complete)
        self._index = quote(index, safe="*,-_.")
        self._client, self._most = reach

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def shape(self) -> RowShape:
        return self.documents

    def found_by(self, column: str) -> bool:
        """Documents can be searched by anything that is indexed."""
        return column in self.collection.fields

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        fields = await self._fields()
        rows = await self._found(identity(fields.get(column), seed, match), column, self._most)
        return [row for row in rows if _is_spelling(row.get(column), seed, match)]

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        fields, rows = await self._fields(), list[Row]()
        for start in range(0, len(values), LOOKED_UP_AT_ONCE):
            chunk = values[start : start + LOOKED_UP_AT_ONCE]
            rows += await self._found(equal(fields.get(column), chunk), column, most - len(rows))
        return rows

    async def held(self, keys: Sequence[Key]) -> dict[Key, Row]:
        fields, found = await self._fields(), dict[Key, Row]()
        for start in range(0, len(keys), LOOKED_UP_AT_ONCE):
            chunk = keys[start : start + LOOKED_UP_AT_ONCE]
            rows = await self._found(self._named(fields, chunk), "key", len(chunk) * 2)
            wanted = {tuple(map(str, key)): key for key in chunk}
            named = ((wanted.get(tuple(map(str, self.shape.key_of(row)))), row) for row in rows)
            found |= {key: row for key, row in named if key is not None}
        return found

    async def erase(self, rows: Mapping[Key, Row]) -> int:
        return await self._tell({"delete": _as_read(row)} for row in rows.values())

    async def change(self, rows: Mapping[Key, Row], values: Callable[[Row], Mapping[str, Any]]) -> int:
        lines: list[Mapping[str, Any]] = []
        for row in rows.values():
            lines += [{"update": _as_read(row)}, {"doc": changed(row[DOCUMENT], values(row))}]
        return await self._tell(lines)

    async def sample(self, count: int) -> list[Mapping[str, Any]]:
        """Some documents."""
        await self._fields()
        answer = await self._client.ask(
            f"/{self._index}/_search", {"size": count, "query": {"match_all": {}}}
        )
        return [_document(hit) for hit in _hits(answer, self.name)]

    async def _tell(self, lines: Any) -> int:
        answer = await self._client.tell(lines)
        said = answer.get("items") if isinstance(answer, Mapping) else None
        if not isinstance(said, list):
            raise StoreFailure("unknown", f"{self.name}.bulk: the answer has no items")
        statuses: list[int] = [int(next(iter(each.values())).get("status", 0)) for each in said]
        done = sum(map(is_success, statuses))
        bad = [each for each in statuses if not is_success(each) and each not in {_GONE, _CONFLICT}]
        if bad:
            meaning: Meaning = "unknown" if done else "busy" if bad[0] == _BUSY else "refused"
            raise StoreFailure(
                meaning, f"{self.name}.bulk: {len(bad)} of {len(said)} were not done ({bad[0]})"
            )
        return done

    async def _fields(self) -> dict[str, IndexField]:
        """The index's own description, after all that was written to it has become visible."""
        await self._client.ask(f"/{self._index}/_refresh", {})
        fields = fields_of(await self._client.ask(f"/{self._index}/_mapping"))
        return {**fields, "_id": IndexField("_id", "_id")}

    def _named(self, fields: Mapping[str, IndexField], keys: Sequence[Key]) -> Query:
        if len(self.shape.key) == 1:
            return equal(fields.get(self.shape.key[0]), [key[0] for key in keys])
        either = [
            {
                "bool": {
                    "filter": [equal(fields.get(c), [p]) for c, p in zip(self.shape.key, key, strict=True)]
                }
            }
            for key in keys
        ]
        return {"bool": {"should": either, "minimum_should_match": 1}}

    async def _found(self, query: Query, where: str, most: int) -> list[Row]:
        size = min(most + 1, PAGE)
        body = {"size": size, "query": query, "seq_no_primary_term": True, "sort": ["_doc"]}
        hits = _hits(await self._client.ask(f"/{self._index}/_search", body), self.name)
        if size == PAGE == len(hits):
            hits = await self._scrolled(body, most)
        if len(hits) > most:
            raise RowFailure("unbounded", matches_of_one(most, f"documents of {self.name}", where))
        return [{**self.documents.row(_document(hit)), HIT: hit} for hit in hits]

    async def _scrolled(self, body: Mapping[str, Any], most: int) -> list[Mapping[str, Any]]:
        """Page by page; the store keeps the search open for that, and is told when it is over."""
        answer = await self._client.ask(f"/{self._index}/_search", body, scroll=_SCROLL)
        hits = page = _hits(answer, self.name)
        while page and len(hits) <= most:
            more = {"scroll": _SCROLL, "scroll_id": answer.get("_scroll_id", "")}
            answer = await self._client.ask("/_search/scroll", more)
            page = _hits(answer, self.name)
            hits = [*hits, *page]
        await self._client.end_scroll(str(answer.get("_scroll_id", "")))
        return hits


def _hits(answer: Any, where: str) -> list[Mapping[str, Any]]:
    try:
        if answer.get("timed_out") or answer["_shards"]["failed"]:
            raise StoreFailure("busy", f"{where}: only a part of the index answered")
        return list(answer["hits"]["hits"])
    except (AttributeError, KeyError, TypeError):
        raise StoreFailure("schema", f"{where}: the answer is not that of a search") from None


def _document(hit: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**hit.get("_source", {}), "_id": hit["_id"]}


def _as_read(row: Row) -> Mapping[str, Any]:
    """This document, if nobody has written it since."""
    hit = row[HIT]
    routed: Iterator[tuple[str, Any]] = ((n, hit[f"_{n}"]) for n in ("routing",) if f"_{n}" in hit)
    bound = {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
    return {"_index": hit["_index"], "_id": hit["_id"], **bound, **dict(routed)}


def _is_spelling(value: object, seed: str, match: Match) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(is_spelling_of(each, seed, match) for each in values)
