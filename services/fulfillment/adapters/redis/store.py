"""The collections of one server. The client is made anew when the secret that holds the address has changed."""

from collections.abc import Mapping

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from services.fulfillment.adapters.redis.failures import ADDRESS, told
from services.fulfillment.adapters.redis.keys import KeyTable
from services.fulfillment.adapters.redis.looking import Reach
from services.fulfillment.adapters.redis.members import MemberTable
from services.fulfillment.adapters.redis.patterns import Pattern
from services.fulfillment.datamap.disputes import notes_of
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import CheckReport, Drift
from services.fulfillment.rowwise.completeness import complete_in, drift_of
from services.fulfillment.rowwise.store import told_of_address

SAMPLE = 200


class RedisStore:
    """One database of a server."""

    def __init__(self, system: System, keys: Mapping[str, Pattern], members: Mapping[str, Pattern]) -> None:
        self._system = system
        self._keys = keys
        self._members = members
        self._complete = complete_in(system)
        self._address = ""
        self._client: Redis | None = None

    @property
    def datamap(self) -> DataMap:
        return self._system.datamap

    def __getitem__(self, name: str) -> KeyTable | MemberTable:
        collection = self.datamap.collections[name]
        reach = Reach(self._connected, collection.max_matches or self._system.limits.max_matches)
        complete = name in self._complete
        if name in self._keys:
            return KeyTable(collection, self._keys[name], reach, complete=complete)
        return MemberTable(collection, self._members[name], reach, complete=complete)

    async def inspect(self) -> CheckReport:
        """A collection without keys is no drift: a cache may be empty."""
        with told("check"):
            await self._connected().ping()
        drift: list[Drift] = []
        notes = list(notes_of(self.datamap))
        for name in sorted(self.datamap.collections):
            documents = await self[name].sample(SAMPLE)
            drift += drift_of(self.datamap.collections[name], documents, complete=name in self._complete)
            notes += [] if documents else [f"{name}: no key is called so now"]
        return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=tuple(notes))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _connected(self) -> Redis:
        address, limits = self._system.address(), self._system.limits
        if self._client is None or address != self._address:
            with told_of_address(told, ADDRESS):
                self._client = Redis.from_url(
                    address,
                    decode_responses=True,
                    encoding_errors="replace",
                    max_connections=limits.connections,
                    socket_connect_timeout=limits.connect_seconds,
                    socket_timeout=limits.statement_seconds,
                    retry=Retry(NoBackoff(), 0),
                    client_name="habeas",
                )
            self._address = address
        return self._client
