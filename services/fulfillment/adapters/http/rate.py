"""What the system says of its own limit: when nothing is left of it, nobody is asked until it begins anew."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from services.fulfillment.adapters.http.connector import RateHeaders
from services.fulfillment.adapters.http.failures import LONGEST_WAIT


class Pause:
    """Remembers until when the system wants to be left alone."""

    def __init__(self, headers: RateHeaders | None) -> None:
        self._headers = headers
        self._until = 0.0

    def hear(self, headers: Mapping[str, str], now: datetime) -> None:
        """Read one answer's headers; what cannot be read says nothing."""
        if self._headers is None:
            return
        remaining, reset = headers.get(self._headers.remaining), headers.get(self._headers.reset)
        if remaining is None or reset is None:
            return
        try:
            if float(remaining) > 0:
                return
            wait = _seconds(reset, self._headers.reset_as, now)
        except ValueError:
            return
        self._until = asyncio.get_running_loop().time() + min(max(wait, 0.0), LONGEST_WAIT.total_seconds())

    def seconds(self) -> float:
        """How long still."""
        return max(0.0, self._until - asyncio.get_running_loop().time())

    def left(self) -> timedelta:
        """The same as a span."""
        return timedelta(seconds=self.seconds())


def _seconds(reset: str, reset_as: str, now: datetime) -> float:
    if reset_as == "seconds":
        return float(reset)
    if reset_as == "epoch":
        return float(reset) - now.timestamp()
    return (parsedate_to_datetime(reset) - now).total_seconds()
