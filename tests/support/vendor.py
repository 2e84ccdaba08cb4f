"""A vendor that answers as its documentation says: requests and answers from a fixture, on a real server.

What the fixture does not know is answered 418, so that a request that nobody wrote down fails its test. An exchange
may belong to a state of the vendor (`while`), and may bring about the next (`turns`).
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.fulfillment.adapters.http import open_adapter
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import Adapter
from shared.policy.reading import read_yaml
from shared.private_files import write_private

CONNECTORS = Path("deploy/connectors")
FIXTURES = Path("tests/contracts/connectors")
UNKNOWN = 418

Exchange = Mapping[str, Any]
Trouble = Callable[[Request], Response | None]


class Vendor:
    """The simulator of one vendor."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fixture: Mapping[str, Any] = read_yaml((FIXTURES / f"{name}.yaml").read_bytes())
        self.exchanges: list[Exchange] = list(self.fixture["exchanges"])
        self.state = "held"
        self.told: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self.trouble: Trouble | None = None
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])

    def adapter(self, address: str, home: Path) -> Adapter:
        """An adapter with the connector and map that are shipped."""
        return open_adapter(self.system(address, home))

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
            datamap=read_dataset(read_yaml(dataset.read_bytes()), file=str(dataset)),
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
