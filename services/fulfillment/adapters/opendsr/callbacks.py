"""A processor says that an order's state changed: believed for its signature over the raw bytes, and then asked itself.

What it says of the state is not taken over: the order is looked at soon, and the processor's own page decides.
"""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

from services.fulfillment.adapters.opendsr.signatures import fault_of
from services.fulfillment.callbacks import CallbackRefused, ReceivesCallbacks
from services.fulfillment.datamap.systems import SecretMissingError, System
from shared.clock import Clock

CALLBACK = "callback"


class OpenDsrCallbacks:
    """One processor's callbacks."""

    def __init__(self, system: System, clock: Clock) -> None:
        self._system, self._clock = system, clock

    def refusal(self, raw: bytes, headers: Mapping[str, str]) -> CallbackRefused | None:
        """Why a callback is not believed, or None; what is not signed by the processor is not even read."""
        try:
            certificate = self._system.secrets["certificate"].read().encode()
        except SecretMissingError:
            return CallbackRefused(503, "certificate_missing", "the processor's certificate is not there")
        fault = fault_of(raw, headers, certificate, self._clock.now())
        if fault is not None:
            return CallbackRefused(403, "not_the_processors", fault)
        if not self._is_ours(raw):
            return CallbackRefused(
                400, "not_ours", "send OpenDSR's JSON about an order, to the URL of the order"
            )
        return None

    def _is_ours(self, raw: bytes) -> bool:
        try:
            said = json.loads(raw)
            about = UUID(said["subject_request_id"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        addressed = said.get("status_callback_url") == self._system.settings[CALLBACK]
        return addressed and str(about) == said["subject_request_id"] and "request_status" in said


def open_callbacks(system: System, clock: Clock) -> ReceivesCallbacks | None:
    """Who takes in a processor's callbacks; None where the system's file names no URL for them."""
    return OpenDsrCallbacks(system, clock) if CALLBACK in system.settings else None


def problem_of(system: System) -> str | None:
    """What is wrong with the URL that the processor is given."""
    url = str(system.settings.get(CALLBACK, ""))
    try:
        safe = urlsplit(url).scheme == "https"
    except ValueError:
        safe = False
    if not url or (safe and url.endswith(f"/callbacks/{system.system}")):
        return None
    return f"{system.system}: settings.callback: an https:// URL that ends with /callbacks/{system.system}"
