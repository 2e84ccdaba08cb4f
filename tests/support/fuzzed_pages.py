"""The pages of the services beside intake, without database or broker: their real routes, dressed as in production."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fastapi import APIRouter, FastAPI

from deploy.serving import web_application
from services.deadline.api import certificate_routes
from services.fulfillment.api import suppression_routes
from services.fulfillment.callback_api import callback_routes
from services.fulfillment.callbacks import CallbackRefused
from services.fulfillment.holding import HoldRegister, Listed
from services.fulfillment.holds_api import hold_routes
from services.fulfillment.suppression import Checked, SuppressionRegister, key_of
from shared.machine.batcher import Batcher
from tests.support.fuzzed_services import Fuzzing
from tests.support.memory_certificates import MemoryCertificates

SYSTEM = "mailing"


class Suppressed(SuppressionRegister):
    """Everybody is suppressed."""

    def __init__(self) -> None:
        """No table is asked."""

    async def check(self, hashes: Sequence[str]) -> Checked:
        known = [one for one in hashes if key_of(one)]
        return Checked({one: ["delete"] for one in known}, dict.fromkeys(known, date(2027, 1, 1)))

    async def versions(self) -> list[str]:
        return ["1"]


class NoHolds(HoldRegister):
    """Nothing is on hold."""

    def __init__(self) -> None:
        """No table is asked."""

    async def listed(self, *, released: bool) -> list[Listed]:
        del released
        return []


class Signed:
    """Believes what is long enough."""

    def refusal(self, raw: bytes, headers: Any) -> CallbackRefused | None:
        del headers
        return None if len(raw) > len(SYSTEM) else CallbackRefused(403, "not_signed", "nobody signed this")


def pages(home: Path) -> dict[str, FastAPI]:
    """The web application of each service beside intake, by its name."""
    holds = Batcher(Fuzzing(home / "keys").service("fulfillment").shell)
    fulfillment = (
        suppression_routes(Suppressed()),
        callback_routes({SYSTEM: Signed()}, _look),
        hold_routes(NoHolds(), holds),
    )
    routers = {
        "verification": (),
        "fulfillment": fulfillment,
        "deadline": (certificate_routes(MemoryCertificates()),),
    }
    return {service: _dressed(service, each) for service, each in routers.items()}


def _dressed(service: str, routers: Sequence[APIRouter]) -> FastAPI:
    """As `deploy.serving` does it; what a host measures of itself is of no interest here."""
    undone = SimpleNamespace(dress=lambda _: None, routes=APIRouter)
    parts = SimpleNamespace(routes=lambda _: routers, dress=None)
    resources = SimpleNamespace(service=service)
    host = SimpleNamespace(resources=resources, parts=parts, health=undone, tracing=undone, batcher=None)
    return web_application(cast("Any", host))


async def _look(system: str) -> None:
    del system
