"""Orders: given once under an id that comes from what is asked, their answers verified, their states read."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from services.fulfillment.adapters.opendsr.callbacks import CALLBACK
from services.fulfillment.adapters.opendsr.signatures import fault_of
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Frozen
from services.fulfillment.told.calling import LARGEST, Call, NotWell, Said, call
from services.fulfillment.told.subjects import order_id
from shared.clock import Clock

IDENTITIES: Final = {"email": "email", "customer_id": "controller_customer_id"}
UNDER_WAY: Final = frozenset({"pending", "in_progress"})


class Orders:
    """What one processor is asked."""

    def __init__(self, system: System, clock: Clock) -> None:
        self._system = system
        self._clock = clock

    @property
    def retry_after(self) -> timedelta:
        return timedelta(seconds=self._system.limits.retry_seconds)

    @property
    def look_again(self) -> timedelta:
        return timedelta(minutes=int(self._system.settings.get("look_again_minutes", 60)))

    async def discovery(self) -> Mapping[str, Any]:
        """What the processor says of itself."""
        return _object(await self._ask("GET", "/discovery"))

    async def give(self, known: Mapping[str, str], order: str, kind: str) -> None:
        """Order something of one person.

        Raises:
            NotWell: it is not known that the processor has taken it on.
        """
        body = json.dumps(self.request(known, order, kind), ensure_ascii=False).encode()
        try:
            said = await self._ask("POST", "/requests", body)
        except NotWell as failure:
            # A processor says 400 to an order that it has already: its state tells which it was.
            if failure.meaning != "refused" or await self.status(order) is None:
                raise
            return
        fault = fault_of(said.raw, said.headers, self._certificate(), self._clock.now())
        if fault is not None:
            raise NotWell("unknown", f"it was ordered, and {fault}")

    async def status(self, order: str) -> Mapping[str, Any] | None:
        """What the processor says of an order; None where it knows none."""
        try:
            said = _object(await self._ask("GET", f"/requests/{order}"))
        except NotWell as failure:
            if failure.meaning == "absent":
                return None
            raise
        if said.get("subject_request_id") != order:
            raise NotWell("refused", "the processor's answer is about another request")
        return said

    async def fetch(self, address: str, most: int, *, with_credentials: bool) -> Said:
        """A copy, from an address that was looked at before."""
        shown = self._shown() if with_credentials else {}
        return await call(Call("GET", address, shown), self._system.limits, most=most)

    async def _ask(self, method: Any, path: str, body: bytes = b"") -> Said:
        address = self._system.address().rstrip("/") + path
        headers = {"Accept": "application/json", "Content-Type": "application/json", **self._shown()}
        return await call(Call(method, address, headers, body), self._system.limits, most=LARGEST)

    def request(self, known: Mapping[str, str], order: str, kind: str) -> dict[str, Any]:
        """The order's body."""
        spelt = str(self._system.settings.get("format", "raw"))
        called = self._system.settings.get(CALLBACK)
        return {
            **({"status_callback_urls": [called]} if called else {}),
            "regulation": "ccpa",
            "subject_request_id": order,
            "subject_request_type": kind,
            "submitted_time": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "api_version": "2.0",
            "subject_identities": [
                {
                    "identity_type": IDENTITIES[name],
                    "identity_value": _spelt(value, spelt),
                    "identity_format": spelt,
                }
                for name, value in sorted(known.items())
                if name in IDENTITIES
            ],
        }

    def _shown(self) -> dict[str, str]:
        if "user" not in self._system.secrets:
            return {}
        pair = ":".join(self._system.secrets[name].read() for name in ("user", "password"))
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def _certificate(self) -> bytes:
        return self._system.secrets["certificate"].read().encode()


def orders_of(right: str, frozen: Frozen, cut_off: datetime) -> list[str]:
    """An order for each person that is told of; one that is known by two addresses is two."""
    rows = {name: tuple(sorted(keys)) for name, keys in sorted(frozen.rows.items())}
    texts = sorted({key for keys in rows.values() for key in keys})
    return [str(order_id(right, Frozen({"": (key,)}), cut_off)) for key in texts]


def spelt_state(stands: Mapping[str, Any]) -> str:
    """An order's state in OpenDSR's own spelling."""
    spelt = str(stands.get("request_status", "")).replace("-", "_")
    return "cancelled" if spelt == "canceled" else spelt


def _spelt(value: str, spelt: str) -> str:
    return hashlib.sha256(value.strip().lower().encode()).hexdigest() if spelt == "sha256" else value


def _object(said: Said) -> dict[str, Any]:
    try:
        read = json.loads(said.raw)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise NotWell("refused", "the answer is no JSON object")
    return read
