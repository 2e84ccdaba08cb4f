"""A vendor that answers as its documentation says: requests and answers from a fixture, by ASGI.

What the fixture does not know is answered 418, so that a request that nobody wrote down fails its test. An exchange
may belong to a state of the vendor (`while`), and may bring about the next (`turns`).
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.fulfillment.adapters.http import HttpAdapter
from services.fulfillment.adapters.http.connector import Connector, Rate
from services.fulfillment.adapters.http.reading import load_connector
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter, Frozen
from shared.clock import SystemClock
from shared.policy.reading import read_yaml
from shared.private_files import write_private

CONNECTORS = Path("deploy/connectors")
FIXTURES = Path("tests/contracts/connectors")
UNKNOWN = 418

Exchange = Mapping[str, Any]
Trouble = Callable[[Request], Response | None]


@cache
def connector_of(name: str) -> Connector:
    """The connector that is shipped, unhindered by its vendor's limits."""
    connector = load_connector(CONNECTORS / f"{name}.yaml")
    return connector.model_copy(
        update={"rate": Rate(per_second=10_000, burst=1000, headers=connector.rate.headers)}
    )


@cache
def _read(file: Path) -> Any:
    return read_yaml(file.read_bytes())


@cache
def _map(file: Path) -> DataMap:
    return read_dataset(_read(file), file=str(file))


class Vendor:
    """The simulator of one vendor."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fixture: Mapping[str, Any] = _read(FIXTURES / f"{name}.yaml")
        self.exchanges: list[Exchange] = list(self.fixture["exchanges"])
        self.state = "held"
        self.told: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self.trouble: Trouble | None = None
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])

    def adapter(self, home: Path) -> Adapter:
        """An adapter with the connector and map that are shipped, reaching the vendor without a network, unhindered."""
        system = self.system("http://localhost", home)
        return HttpAdapter(system, connector_of(self.name), SystemClock(), httpx2.ASGITransport(app=self.app))

    @property
    def datamap(self) -> DataMap:
        """The map that is shipped beside the connector."""
        return _map(CONNECTORS / "maps" / f"{self.name}.yaml")

    def system(self, address: str, home: Path) -> System:
        """The system as somebody would describe it who uses what is shipped."""
        (home / "url").write_text(address)
        secrets = {}
        for name, value in self.fixture["secrets"].items():
            write_private(home / name, value.encode())
            secrets[name] = Secret(file=home / name)
        dataset = CONNECTORS / "maps" / f"{self.name}.yaml"
        return System(
            system=self.name, kind="http", business="shop", url=Secret(file=home / "url"), dataset=dataset,
            connector=CONNECTORS / f"{self.name}.yaml", secrets=secrets,
            settings=self.fixture.get("settings", {}), limits=Limits(connect_seconds=2, statement_seconds=2),
            datamap=self.datamap,
        )  # fmt: skip

    def changing(self, request: Request) -> bool:
        """Whether the fixture calls this request one that changes something."""
        wanted = [each["request"] for each in self.exchanges if each.get("changes")]
        return any((each["method"], each["path"]) == (request.method, request.url.path) for each in wanted)

    async def _answer(self, request: Request) -> Response:
        self.told.append((request.method, request.url.path))
        if self.trouble is not None and (answer := self.trouble(request)):
            return answer
        body = await request.body()
        for exchange in self.exchanges:
            if exchange.get("while", self.state) == self.state and _fits(exchange["request"], request, body):
                self.state = exchange.get("turns", self.state)
                return _response(exchange["answer"])
        self.unknown.append(f"{request.method} {request.url} {body.decode()}")
        return Response(status_code=UNKNOWN)


def _fits(wanted: Mapping[str, Any], request: Request, body: bytes) -> bool:
    if (wanted["method"], wanted["path"]) != (request.method, request.url.path):
        return False
    stated = {name: str(value) for name, value in wanted.get("query", {}).items()}
    headers = {name: request.headers.get(name) for name in wanted.get("headers", {})}
    if dict(request.query_params) != stated or headers != dict(wanted.get("headers", {})):
        return False
    if "json" in wanted:
        return bool(json.loads(body or b"null") == wanted["json"])
    if "form" in wanted:
        return {name: values[0] for name, values in parse_qs(body.decode()).items()} == dict(wanted["form"])
    return not body


def _response(answer: Mapping[str, Any]) -> Response:
    headers = answer.get("headers")
    if "json" not in answer:
        return Response(status_code=answer["status"], headers=headers)
    return JSONResponse(answer["json"], answer["status"], headers=headers)


def frozen_of(stated: Mapping[str, list[list[int | str]]]) -> Frozen:
    """The rows of a fixture, as `find` gives them."""
    return Frozen({name: tuple(tuple(key) for key in keys) for name, keys in stated.items()})
