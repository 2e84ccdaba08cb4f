"""The collections of one database. The client is made anew when the secret that holds the address has changed."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from services.fulfillment.adapters.mongodb.collections import Bounds, MongoTable
from services.fulfillment.adapters.mongodb.failures import ADDRESS, told
from services.fulfillment.datamap.disputes import notes_of
from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import CheckReport, Drift
from services.fulfillment.rowwise.completeness import complete_in, drift_of
from services.fulfillment.rowwise.store import told_of_address

# At DEBUG the client logs every command with the values in it.
logging.getLogger("pymongo").setLevel(logging.INFO)

SAMPLE = 200

Document = dict[str, Any]


class MongoStore:
    """One database of a MongoDB."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._complete = complete_in(system)
        self._address = ""
        self._client: AsyncMongoClient[Document] | None = None

    @property
    def datamap(self) -> DataMap:
        return self._system.datamap

    def __getitem__(self, name: str) -> MongoTable:
        collection = self.datamap.collections[name]
        limits = self._system.limits
        return MongoTable(
            collection,
            lambda: self._database()[name],
            bounds=Bounds(collection.max_matches or limits.max_matches, limits.statement_seconds),
            complete=name in self._complete,
        )

    async def inspect(self) -> CheckReport:
        with told("check"):
            there = set(await self._database().list_collection_names())
        drift = [each for name in sorted(self.datamap.collections) for each in await self._drift(name, there)]
        return CheckReport(reachable=True, credentials=True, drift=tuple(drift), notes=notes_of(self.datamap))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _drift(self, name: str, there: set[str]) -> list[Drift]:
        if name not in there:
            return [Drift(name, "", "missing")]
        with told(f"{name}.check"):
            documents = [document async for document in _sample(self._database()[name])]
        return list(drift_of(self.datamap.collections[name], documents, complete=name in self._complete))

    def _database(self) -> AsyncDatabase[Document]:
        """The database that the address names, on its primary: a proof from a copy that lags proves nothing."""
        address = self._system.address()
        with told_of_address(told, ADDRESS):
            if self._client is None or address != self._address:
                self._client, self._address = self._connected(address), address
            return self._client.get_default_database(
                read_preference=ReadPreference.PRIMARY, write_concern=WriteConcern(w="majority")
            )

    def _connected(self, address: str) -> AsyncMongoClient[Document]:
        limits = self._system.limits
        return AsyncMongoClient(
            address,
            tz_aware=True,
            uuidRepresentation="standard",
            maxPoolSize=limits.connections,
            serverSelectionTimeoutMS=int(limits.connect_seconds * 1000),
            connectTimeoutMS=int(limits.connect_seconds * 1000),
            socketTimeoutMS=int(limits.statement_seconds * 1000),
            retryWrites=False,
            retryReads=False,
            appname="habeas",
        )


async def _sample(collection: AsyncCollection[Document]) -> AsyncIterator[Document]:
    """The oldest and the newest documents, as far as their ids tell."""
    for direction in (1, -1):
        async for document in collection.find().sort("_id", direction).limit(SAMPLE):
            yield document
