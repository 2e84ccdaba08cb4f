"""Hears the moment in which a service is about to touch the outside: PostgreSQL tells of each commit of CALLING."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.installation import Installation

_FUNCTION = """
CREATE OR REPLACE FUNCTION public.tell_calling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('calling', TG_TABLE_SCHEMA);
  RETURN NULL;
END $$"""
_TRIGGER = """
CREATE TRIGGER tell_calling AFTER UPDATE ON {service}.tasks FOR EACH ROW
WHEN (NEW.state = 'calling' AND OLD.state IS DISTINCT FROM 'calling') EXECUTE FUNCTION public.tell_calling()"""


@dataclass
class Calls:
    """How often each service was about to call out."""

    heard: Counter[str] = field(default_factory=Counter)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, service: str, number: int, *, within: float = 60) -> None:
        """Return at the service's call of this number, counted from now."""
        wanted = self.heard[service] + number
        async with asyncio.timeout(within):
            while self.heard[service] < wanted:
                self._more.clear()
                await self._more.wait()

    def hear(self, _connection: Any, _pid: int, _channel: str, service: str) -> None:
        self.heard[service] += 1
        self._more.set()


@asynccontextmanager
async def calls_of(installation: Installation, *services: str) -> AsyncIterator[Calls]:
    """Listen to the tasks of these services."""
    calls = Calls()
    async with installation.admin() as connection:
        await connection.execute(_FUNCTION)
        for service in services:
            await connection.execute(_TRIGGER.format(service=service))
        await connection.add_listener("calling", calls.hear)
        yield calls
        await connection.remove_listener("calling", calls.hear)
