"""A webhook by the Standard Webhooks rules: one signed message for each request, the same again if it is repeated."""

import base64
import binascii
import hmac
import json
from datetime import datetime
from typing import Any

from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import (
    Adapter,
    Capabilities,
    CheckReport,
    Done,
    Frozen,
    NeedsPerson,
    Outcome,
    Proof,
    Unknown,
)
from services.fulfillment.told.adapter import Telling
from services.fulfillment.told.calling import Call, NotWell, call, refuse_unsafe
from services.fulfillment.told.subjects import identifiers, problems_of, receipt
from shared.clock import Clock, SystemClock

__all__ = ["WebhookAdapter", "open_adapter"]

SIGNING = "signing"
PREFIX = "whsec_"


class NoKeyError(ValueError):
    """The signing secret is none."""


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system.

    Raises:
        MapError: the system file cannot be used; every problem is named.
    """
    problems = problems_of(system, settings=frozenset(), secrets=frozenset({SIGNING}))
    if SIGNING not in system.secrets:
        problems += (f"{system.system}: secrets.signing: the key that both sides know, whsec_...",)
    if problems:
        raise MapError(problems)
    return WebhookAdapter(system, clock or SystemClock())


class WebhookAdapter(Telling):
    """One address that is told. Its answer says that it heard, and nothing more can be proved."""

    capabilities = Capabilities(
        idempotency_key=True, verify=False, naturally_idempotent=True, bounded_by_cutoff=False
    )

    async def check(self) -> CheckReport:
        """Nothing is sent: a webhook has no message that means nothing."""
        try:
            refuse_unsafe(self.system.address())
            self._key()
        except (NotWell, SecretMissingError, NoKeyError) as error:
            return CheckReport(reachable=True, credentials=False, notes=(str(error),))
        note = "only tried when somebody asks: a webhook cannot be asked whether it is there"
        return CheckReport(reachable=True, credentials=True, notes=(note,))

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := self.idle(right, frozen):
            return answer
        now = self.clock.now()
        body = json.dumps(_message(right, frozen, (now, cut_off)), ensure_ascii=False).encode()
        try:
            headers = {"Content-Type": "application/json", **self._signed(idempotency_key, now, body)}
            await call(Call("POST", self.system.address(), headers, body), self.system.limits)
        except NotWell as failure:
            return failure.outcome(self.retry_after)
        except (SecretMissingError, NoKeyError) as error:
            return NeedsPerson("credentials", str(error))
        return Done(receipt(self.system, frozen, (now, cut_off)))

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        return Unknown("a webhook cannot be asked what it did")

    def _signed(self, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
        at = str(int(now.timestamp()))
        signed = f"{message_id}.{at}.".encode() + body
        signature = base64.b64encode(hmac.new(self._key(), signed, "sha256").digest()).decode()
        return {"webhook-id": message_id, "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}

    def _key(self) -> bytes:
        text = self.system.secrets[SIGNING].read()
        try:
            return base64.b64decode(text.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise NoKeyError("the signing secret is not whsec_ and base64") from None


def _message(right: str, frozen: Frozen, times: tuple[datetime, datetime]) -> dict[str, Any]:
    now, cut_off = times
    return {
        "type": f"privacy.request.{right}",
        "timestamp": now.isoformat(),
        "data": {"right": right, "subjects": identifiers(frozen), "collected_until": cut_off.isoformat()},
    }
