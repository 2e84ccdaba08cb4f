"""One system's HTTP: bounded in time, size and speed, never led to another host, and silent about whom it asks for."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from aiolimiter import AsyncLimiter

from services.fulfillment.adapters.http.address import base_address, same_origin
from services.fulfillment.adapters.http.auth import Secrets, shows
from services.fulfillment.adapters.http.connector import Connector
from services.fulfillment.adapters.http.failures import (
    Failure,
    answered,
    of_status,
    of_transport,
    retry_after,
)
from services.fulfillment.adapters.http.rate import Pause
from services.fulfillment.adapters.http.requests import Outbound, Prepared
from services.fulfillment.adapters.http.templates import UnsafeValueError, Variables
from services.fulfillment.datamap.systems import System
from services.fulfillment.told.authorities import trusted
from shared.clock import Clock

for _talkative in ("httpx2", "httpcore2"):
    # They log every address, and with it whoever is looked up, wherever DEBUG or INFO is switched on for all.
    logging.getLogger(_talkative).setLevel(logging.WARNING)

_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What came back and was well: its JSON, None where it was empty; `readable` tells whether it was JSON."""

    headers: Mapping[str, str]
    data: Any
    readable: bool


class Client:
    """The connections to one system, opened at the first request."""

    def __init__(
        self,
        system: System,
        connector: Connector,
        clock: Clock,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._system = system
        self._connector = connector
        self._clock = clock
        self._transport = transport
        self._shows = shows(connector.auth, Secrets(system.secrets), self._token)
        self._pause = Pause(connector.rate.headers)
        self._http: httpx2.AsyncClient | None = None
        self._limiter: AsyncLimiter | None = None

    async def call(
        self, request: Prepared, variables: Variables, *, idempotency_key: str | None = None
    ) -> Answer:
        """Fill, send and judge one request.

        Raises:
            Failure: it did not go well; the meaning says what may be believed about its effect.
        """
        try:
            outbound = request.fill(variables)
        except UnsafeValueError as error:
            raise Failure("refused", f"{request.where}: {error}") from None
        return await self.send(request, outbound, idempotency_key=idempotency_key)

    async def send(
        self, request: Prepared, outbound: Outbound, *, idempotency_key: str | None = None
    ) -> Answer:
        """Send what is filled; a token that was refused is replaced once, for nothing was done under it."""
        header = self._connector.idempotency_header
        takes_one = request.changes and request.method in self._connector.idempotency_methods
        if header and idempotency_key and takes_one:
            outbound.headers[header] = idempotency_key
        await self._shows.show(outbound)
        status, headers, body = await self._exchange(outbound, request.where, changes=request.changes)
        if status == _UNAUTHORIZED and self._shows.forget(outbound):
            await self._shows.show(outbound)
            status, headers, body = await self._exchange(outbound, request.where, changes=request.changes)
        self._refuse(request, status, headers)
        return _answer(headers, body)

    def path_of(self, address: str) -> str | None:
        """The path and query of an address on the same host; None if it leads anywhere else."""
        return same_origin(self._base(), address)

    async def close(self) -> None:
        """Give the connections back and forget the token."""
        http, self._http = self._http, None
        self._shows.forget()
        if http is not None:
            await http.aclose()

    def _refuse(self, request: Prepared, status: int, headers: Mapping[str, str]) -> None:
        stated = {**self._connector.statuses, **request.statuses}
        meaning = of_status(status, stated, changes=request.changes)
        if meaning is not None:
            after = retry_after(headers, self._clock.now())
            raise Failure(meaning, f"{request.where}: {answered(status, meaning)}", after)

    async def _token(self, outbound: Outbound) -> Any:
        status, headers, body = await self._exchange(outbound, "auth", changes=False)
        meaning = of_status(status, {}, changes=False)
        if meaning is not None:
            # A refused or mistaken grant is a matter of credentials, whichever 4xx the server prefers.
            kind = "credentials" if meaning in {"refused", "absent", "schema"} else meaning
            after = retry_after(headers, self._clock.now())
            raise Failure(kind, f"auth: {answered(status, kind)}", after)
        return _answer(headers, body).data

    async def _exchange(
        self, outbound: Outbound, where: str, *, changes: bool
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request and its whole answer, in the time that one statement has."""
        await self._turn(where)
        try:
            async with asyncio.timeout(self._system.limits.statement_seconds):
                return await self._transfer(outbound, where)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            # A TimeoutError is an OSError: the time for one statement ran out.
            raise of_transport(error, where=where, changes=changes) from None

    async def _transfer(self, outbound: Outbound, where: str) -> tuple[int, Mapping[str, str], bytes]:
        most, body = self._connector.rate.max_body_bytes, bytearray()
        async with self._open().stream(
            outbound.method,
            outbound.path,
            params=_texts(outbound.query) or None,
            headers=outbound.headers,
            json=outbound.body,
            data=None if outbound.form is None else _texts(outbound.form),
        ) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > most:
                    raise Failure("schema", f"{where}: the answer is larger than {most} bytes")
            self._pause.hear(response.headers, self._clock.now())
            return response.status_code, response.headers, bytes(body)

    async def _turn(self, where: str) -> None:
        """Wait for our turn, but never long: a task that must wait longer gives its place to another."""
        limit = self._system.limits.connect_seconds
        wait = self._pause.seconds()
        if wait > limit:
            raise Failure("busy", f"{where}: the system's own limit is used up", self._pause.left())
        await asyncio.sleep(wait)
        try:
            async with asyncio.timeout(limit):
                await self._bucket().acquire()
        except TimeoutError:
            raise Failure("busy", f"{where}: our limit for this system is used up") from None

    def _bucket(self) -> AsyncLimiter:
        if self._limiter is None:
            rate = self._connector.rate
            self._limiter = AsyncLimiter(rate.burst, rate.burst / rate.per_second)
        return self._limiter

    def _open(self) -> httpx2.AsyncClient:
        if self._http is None:
            limits = self._system.limits
            self._http = httpx2.AsyncClient(
                base_url=self._base(),
                headers={"Accept": "application/json", "User-Agent": "habeas", **self._connector.headers},
                timeout=httpx2.Timeout(limits.statement_seconds, connect=limits.connect_seconds),
                limits=httpx2.Limits(max_connections=limits.connections),
                verify=trusted(),
                follow_redirects=False,
                transport=self._transport,
            )
        return self._http

    def _base(self) -> str:
        stated = self._system.url.read() if self._system.url else self._connector.base_url or ""
        return base_address(stated, self._system.settings)


def _answer(headers: Mapping[str, str], body: bytes) -> Answer:
    if not body.strip():
        return Answer(headers, None, readable=True)
    try:
        return Answer(headers, json.loads(body), readable=True)
    except (ValueError, RecursionError):
        return Answer(headers, None, readable=False)


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Booleans and structures as JSON writes them, which is what vendors expect in a query or a form."""
    return {key: _written(value) for key, value in values.items()}


def _written(value: Any) -> Any:
    if isinstance(value, bool | Mapping):
        return json.dumps(value)
    return [_written(each) for each in value] if isinstance(value, list) else value
