"""A service over HTTP that answers as a test says and keeps count, and adapters for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.fulfillment.adapters.http import open_adapter
from services.fulfillment.adapters.http.reading import load_connector
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.systems import Limits, Secret, System
from services.fulfillment.ports import (
    Adapter,
    Frozen,
    Subject,
)
from shared.private_files import write_private
from tests.support.http_server import serving

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
PERSON = Subject({"email": "ada.canary@example.com"})
IDS = [1, 2, 3, 4, 5]
MAP = {
    "dataset": [
        {
            "fides_key": "s",
            "collections": [
                {
                    "name": "people",
                    "fields": [
                        {"name": "id", "fides_meta": {"primary_key": True}},
                        {
                            "name": "email",
                            "data_categories": ["user.contact.email"],
                            "fides_meta": {"identity": "email"},
                        },
                    ],
                }
            ],
        }
    ]
}
Answering = Callable[[Request], Any]


class Service:
    """Answers as a test says, by method and path, and remembers every request."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.answers: dict[str, Answering] = {"GET /me": lambda _: {"ok": True}}
        self.told: list[str] = []
        self.headers: list[dict[str, str]] = []
        methods = ["GET", "POST", "DELETE", "PUT"]
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=methods)])
        self.address = ""
        self._adapters: list[Adapter] = []

    def adapter(self, **connector: Any) -> Adapter:
        """An adapter with this connector, filled up with what every one needs."""
        people = {
            "read": {"request": {"path": "/people/{{ id }}"}},
            "delete": {"request": {"method": "DELETE", "path": "/people/{{ id }}"}},
            "find": {
                "email": {"request": {"path": "/people", "query": {"email": "{{ value }}"}}, "rows": "items"}
            },
            **connector.pop("people", {}),
        }
        whole = {
            "connector": "s", "title": "S", "verified": "unverified against the vendor", "auth": {"kind": "none"},
            "rate": {"per_second": 1000, "burst": 100}, "check": {"path": "/me"}, "collections": {"people": people},
            **connector,
        }  # fmt: skip
        for name, text in {
            "c.yaml": yaml.safe_dump(whole),
            "url": self.address,
            "id": "me",
            "secret": "hush",
        }.items():
            write_private(self.home / name, text.encode())
        places = {
            name: Secret(file=self.home / name) for name in load_connector(self.home / "c.yaml").secrets()
        }
        adapter = open_adapter(
            System(
                system="s", kind="http", business="b", url=Secret(file=self.home / "url"), dataset=Path("m.yaml"),
                connector=self.home / "c.yaml", secrets=places, limits=Limits(connect_seconds=1, statement_seconds=5),
                datamap=read_dataset(MAP, file="m.yaml"),
            )
        )  # fmt: skip
        self._adapters.append(adapter)
        return adapter

    async def close(self) -> None:
        for adapter in self._adapters:
            await adapter.close()

    async def _answer(self, request: Request) -> Response:
        self.told.append(f"{request.method} {request.url.path}")
        self.headers.append(dict(request.headers))
        answering = self.answers.get(self.told[-1])
        answer = answering(request) if answering else JSONResponse({}, 404)
        answer = await answer if asyncio.iscoroutine(answer) else answer
        return answer if isinstance(answer, Response) else JSONResponse(answer)


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[Service]:
    service = Service(home)
    async with serving(service.app) as address:
        service.address = address
        yield service
        await service.close()


def row(number: int) -> dict[str, Any]:
    return {"id": number, "email": "Ada.Canary@example.com"}


def always(answer: Any) -> Answering:
    return lambda _: answer


def state_of(states: dict[str, str], name: str, _request: Request) -> Any:
    return {"state": states[name]}


async def found(adapter: Adapter) -> list[int | str]:
    frozen = await adapter.find(PERSON, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return sorted(key[0] for key in frozen.rows.get("people", ()))
