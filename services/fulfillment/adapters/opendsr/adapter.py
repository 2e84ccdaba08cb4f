"""Ask a processor to erase, then ask it what became of that: its states are all the proof there is."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.fulfillment.adapters.opendsr.callbacks import CALLBACK, problem_of
from services.fulfillment.adapters.opendsr.signatures import fault_of
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Capabilities,
    CheckReport,
    Frozen,
    Gone,
    Job,
    NeedsPerson,
    Outcome,
    Proof,
    StillPresent,
    Unknown,
)
from services.fulfillment.told.adapter import Telling
from services.fulfillment.told.calling import Call, NotWell, Said, call
from services.fulfillment.told.subjects import identifiers, order_id, problems_of
from shared.clock import Clock, SystemClock

SETTINGS = frozenset({CALLBACK, "format", "look_again_minutes"})
SECRETS = frozenset({"user", "password", "certificate"})
TYPES = {"email": "email", "customer_id": "controller_customer_id"}
FORMATS = ("raw", "sha256")
UNDER_WAY = frozenset({"pending", "in_progress"})


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system.

    Raises:
        MapError: the system file cannot be used; every problem is named.
    """
    problems = problems_of(system, settings=SETTINGS, secrets=SECRETS)
    if "certificate" not in system.secrets:
        problems += (f"{system.system}: secrets.certificate: the processor's, in PEM, as discovery names it",)
    kinds = {kind for kind, _ in system.datamap.identities()}
    if kinds - set(TYPES):
        problems += (f"{system.system}: dataset: OpenDSR is asked by {' and '.join(sorted(TYPES))} alone",)
    if system.settings.get("format", "raw") not in FORMATS:
        problems += (f"{system.system}: settings.format: raw or sha256",)
    if system.settings.get("rights", "delete") != "delete":
        problems += (f"{system.system}: settings.rights: OpenDSR knows no other than delete",)
    problems += tuple(filter(None, [problem_of(system)]))
    if problems:
        raise MapError(problems)
    return OpenDsrAdapter(system, clock or SystemClock())


class OpenDsrAdapter(Telling):
    """One processor. The order's id comes from what is asked, so that asking again gives no second order."""

    capabilities = Capabilities(
        idempotency_key=True, verify=True, naturally_idempotent=True, bounded_by_cutoff=False
    )

    async def check(self) -> CheckReport:
        try:
            said = _object(await self._ask("GET", "/discovery"))
        except (NotWell, SecretMissingError) as error:
            away = isinstance(error, NotWell) and error.meaning in {"away", "unknown"}
            return CheckReport(reachable=not away, credentials=False, notes=(str(error),))
        kinds = said.get("supported_subject_request_types")
        erases = isinstance(kinds, list) and "erasure" in kinds
        notes = () if erases else ("the processor does not say that it erases",)
        return CheckReport(reachable=True, credentials=erases, notes=notes)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := self.idle(right, frozen):
            return answer
        try:
            jobs = [
                await self._order(each, order)
                for each, order in zip(identifiers(frozen), _orders(right, frozen, cut_off), strict=True)
            ]
        except NotWell as failure:
            return failure.outcome(self.retry_after)
        except SecretMissingError as missing:
            return NeedsPerson("credentials", str(missing))
        return Ambiguous("the processor has taken it on", tuple(jobs), self._look_again)

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        try:
            states = [await self._state(order) for order in _orders(right, frozen, cut_off)]
        except (NotWell, SecretMissingError) as error:
            return Unknown(str(error))
        if None in states:
            return StillPresent(states.count(None))
        if UNDER_WAY & set(states):
            return Unknown("the processor is at work on it", look_again=self._look_again)
        if set(states) == {"completed"}:
            return Gone({name: len(keys) for name, keys in frozen.rows.items()})
        return Unknown("the processor has canceled it, or says what OpenDSR does not know")

    async def _order(self, known: Mapping[str, str], order: str) -> Job:
        body = json.dumps(self._request(known, order), ensure_ascii=False).encode()
        try:
            said = await self._ask("POST", "/requests", body)
        except NotWell as failure:
            # A processor says 400 to an order that it has already: its state tells which it was.
            if failure.meaning != "refused" or await self._state(order) is None:
                raise
            return Job(order, self.clock.now())
        fault = fault_of(said.raw, said.headers, self._certificate(), self.clock.now())
        if fault is not None:
            raise NotWell("unknown", f"it was ordered, and {fault}")
        return Job(order, self.clock.now())

    async def _state(self, order: str) -> str | None:
        """The order's state in OpenDSR's own spelling; None where the processor knows none."""
        try:
            said = _object(await self._ask("GET", f"/requests/{order}"))
        except NotWell as failure:
            if failure.meaning == "absent":
                return None
            raise
        if said.get("subject_request_id") != order:
            raise NotWell("refused", "the processor's answer is about another request")
        spelt = str(said.get("request_status", "")).replace("-", "_")
        return "cancelled" if spelt == "canceled" else spelt

    async def _ask(self, method: Any, path: str, body: bytes = b"") -> Said:
        address = self.system.address().rstrip("/") + path
        headers = {"Accept": "application/json", "Content-Type": "application/json", **self._shown()}
        return await call(Call(method, address, headers, body), self.system.limits)

    def _request(self, known: Mapping[str, str], order: str) -> dict[str, Any]:
        spelt = str(self.system.settings.get("format", "raw"))
        called = self.system.settings.get(CALLBACK)
        return {
            **({"status_callback_urls": [called]} if called else {}),
            "regulation": "ccpa",
            "subject_request_id": order,
            "subject_request_type": "erasure",
            "submitted_time": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "api_version": "2.0",
            "subject_identities": [
                {
                    "identity_type": TYPES[kind],
                    "identity_value": _spelt(value, spelt),
                    "identity_format": spelt,
                }
                for kind, value in sorted(known.items())
                if kind in TYPES
            ],
        }

    def _shown(self) -> dict[str, str]:
        if "user" not in self.system.secrets:
            return {}
        pair = ":".join(self.system.secrets[name].read() for name in ("user", "password"))
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def _certificate(self) -> bytes:
        return self.system.secrets["certificate"].read().encode()

    @property
    def _look_again(self) -> timedelta:
        return timedelta(minutes=int(self.system.settings.get("look_again_minutes", 60)))


def _orders(right: str, frozen: Frozen, cut_off: datetime) -> list[str]:
    """An order for each person that is told of; one that is known by two addresses is two."""
    rows = {name: tuple(sorted(keys)) for name, keys in sorted(frozen.rows.items())}
    texts = sorted({key for keys in rows.values() for key in keys})
    return [str(order_id(right, Frozen({"": (key,)}), cut_off)) for key in texts]


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
