"""Asking for rows: one request or as many pages as there are, each answer held against what the connector says."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from services.fulfillment.adapters.http.client import Answer, Client
from services.fulfillment.adapters.http.connector import (
    AddressPaging,
    CursorPaging,
    LinkPaging,
    Lookup,
    OffsetPaging,
    PagePaging,
)
from services.fulfillment.adapters.http.failures import NOT_JSON, Failure
from services.fulfillment.adapters.http.paths import path
from services.fulfillment.adapters.http.requests import Outbound, prepared
from services.fulfillment.adapters.http.templates import Variables
from services.fulfillment.too_much import matches_of_one

MOST_PAGES = 1000


class Asking:
    """One lookup of a connector."""

    def __init__(self, client: Client, lookup: Lookup, where: str, *, by_key: bool = False) -> None:
        self._absent_on_404 = by_key or lookup.absent_on_404
        self.many = lookup.many
        self.trusted = lookup.trusted
        self._client = client
        self._lookup = lookup
        self._request = prepared(lookup.request, where)
        self._rows = path(lookup.rows)
        self._absent = path(lookup.absent) if lookup.absent else None
        self._where = where

    async def rows(self, variables: Variables, *, most: int) -> list[Any]:
        """Every row, as the system writes it; more than `most` are for a person.

        Raises:
            Failure: the system could not be asked, or answered nonsense.
        """
        rows: list[Any] = []
        async for page in self._pages(variables):
            rows += page
            if len(rows) > most:
                raise Failure(
                    "unbounded", f"{self._request.where}: {matches_of_one(most, 'rows', 'identity')}"
                )
        return rows

    async def _pages(self, variables: Variables) -> AsyncIterator[list[Any]]:
        # Where this search stands is its own: others run at the same time.
        turn = _Turning(self._lookup, self._client, self._where)
        first = self._request.fill(variables)
        turn.begin(first)
        outbound: Outbound | None = first
        for _ in range(MOST_PAGES):
            if outbound is None:
                return
            answer = await self._answer(outbound)
            if answer is None:
                return
            page = self._read(answer)
            yield page
            outbound = turn.next(self._request.fill(variables), answer, len(page))
        raise Failure("unbounded", f"{self._request.where}: the pages do not end")

    async def _answer(self, outbound: Outbound) -> Answer | None:
        try:
            return await self._client.send(self._request, outbound)
        except Failure as failure:
            if failure.meaning == "absent" and self._absent_on_404:
                return None
            raise

    def _read(self, answer: Answer) -> list[Any]:
        if not answer.readable or answer.data is None:
            raise Failure("schema", f"{self._request.where}: {NOT_JSON}")
        if self._absent is not None and self._absent(answer.data):
            return []
        rows = self._rows(answer.data)
        rows = [rows] if isinstance(rows, Mapping) else rows
        if not isinstance(rows, list):
            raise Failure("schema", f"{self._request.where}: the answer has no rows where the connector says")
        return [row for row in rows if row is not None]


class _Turning:
    """From one page to the next; a position that was there before would go round for ever."""

    def __init__(self, lookup: Lookup, client: Client, where: str) -> None:
        self._paging = lookup.paging
        self._client = client
        self._where = where
        named = lookup.paging.next if isinstance(lookup.paging, CursorPaging | AddressPaging) else "@"
        self._named = path(named)
        self._more = path(getattr(lookup.paging, "more", None) or "@")
        self._pages = path(getattr(lookup.paging, "pages", None) or "@")
        self._at: Any = None

    def begin(self, outbound: Outbound) -> None:
        self._at = None
        if isinstance(self._paging, PagePaging):
            self._at = self._paging.first
            outbound.put(self._paging.into, self._at)
        elif isinstance(self._paging, OffsetPaging):
            self._at = 0
            outbound.put(self._paging.into, 0)

    def next(self, outbound: Outbound, answer: Answer, count: int) -> Outbound | None:
        """The request for the page after this one, or None where this was the last."""
        match self._paging:
            case CursorPaging():
                return self._cursor(outbound, answer, self._paging)
            case PagePaging():
                return self._page(outbound, answer, count, self._paging)
            case OffsetPaging():
                return self._offset(outbound, count, self._paging)
            case AddressPaging():
                return self._address(outbound, self._named(answer.data))
            case LinkPaging():
                return self._address(outbound, _next_link(answer.headers.get("link", "")))
        return None

    def _cursor(self, outbound: Outbound, answer: Answer, paging: CursorPaging) -> Outbound | None:
        position = self._named(answer.data)
        if not position or (paging.more and not self._more(answer.data)):
            return None
        if position == self._at:
            raise Failure("schema", f"{self._where}: the next page is the same page")
        self._at = position
        outbound.put(paging.into, position)
        return outbound

    def _page(self, outbound: Outbound, answer: Answer, count: int, paging: PagePaging) -> Outbound | None:
        last = self._pages(answer.data) if paging.pages else None
        if not count or (isinstance(last, int) and self._at >= last + paging.first - 1):
            return None
        self._at += 1
        outbound.put(paging.into, self._at)
        return outbound

    def _offset(self, outbound: Outbound, count: int, paging: OffsetPaging) -> Outbound | None:
        if count < paging.size:
            return None
        self._at += count
        outbound.put(paging.into, self._at)
        return outbound

    def _address(self, outbound: Outbound, address: Any) -> Outbound | None:
        if not address:
            return None
        where = self._client.path_of(str(address))
        if where is None or where == self._at:
            raise Failure("schema", f"{self._where}: the next page is not this system's")
        self._at = where
        return Outbound("GET", where, {}, outbound.headers)


def _next_link(header: str) -> str:
    """The target of `rel="next"` in a Link header."""
    for part in header.split(","):
        target, _, rest = part.strip().partition(">")
        if 'rel="next"' in rest.replace(" ", "") or "rel=next" in rest.replace(" ", ""):
            return target.lstrip("<")
    return ""
