"""The shop in a real OpenSearch, which `make stores` starts from Maven's jars; it takes half a minute to begin."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from deploy.local import jars, java
from tests.support.eventually import eventually
from tests.support.shop import TABLES
from tests.support.shop_in_documents import Rows

LOCK = Path(__file__).with_name("opensearch-jars.lock")
ADDRESS = "http://127.0.0.1:9251"  # the runner takes ports of its own range alone
MAIN = "org.codelibs.opensearch.runner.OpenSearchRunner"


@contextmanager
def opensearch(home: Path) -> Iterator[str]:
    """Start one, give its address, and end it."""
    classes = f"{jars.folder(print, LOCK)}/*"
    options = ["-basePath", str(home), "-numOfNode", "1", "-baseHttpPort", "9250"]
    command = [str(java.find()), "-Xmx512m", "-XX:+UseSerialGC", "-cp", classes, MAIN, *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - ours
        try:
            eventually(_answers, within=120)
            yield ADDRESS
        finally:
            process.kill()


class InOpenSearch:
    """Indices of its own for each test."""

    kind = "search"
    absent = "http://127.0.0.1:1"
    textual = False
    seconds = 30

    def __init__(self, address: str) -> None:
        self.address = address
        self._prefix = f"shop-{uuid4().hex[:8]}-"
        self._http = httpx2.AsyncClient(base_url=address, timeout=30)
        indices = {f"index.{table}": f"{self._prefix}{table}" for table in TABLES}
        self.settings: Mapping[str, str] = {"complete": "*", **indices}

    async def open(self) -> None:
        """It is up already."""

    async def close(self) -> None:
        await self._http.delete(f"/{self._prefix}*")
        await self._http.aclose()

    async def write(self, table: str, rows: Rows) -> None:
        index = f"{self._prefix}{table}"
        await self._http.delete(f"/{index}")
        one = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
        (await self._http.put(f"/{index}", json=one)).raise_for_status()
        lines: list[Any] = [line for row in rows for line in ({"index": {"_index": index}}, row)]
        if lines:
            content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
            kind = {"Content-Type": "application/x-ndjson"}
            answer = await self._http.post("/_bulk?refresh=true", content=content, headers=kind)
            assert not answer.raise_for_status().json()["errors"]

    async def read(self, table: str) -> Rows:
        await self._http.post(f"/{self._prefix}{table}/_refresh")
        answer = await self._http.post(f"/{self._prefix}{table}/_search", json={"size": 1000})
        return [hit["_source"] for hit in answer.raise_for_status().json()["hits"]["hits"]]

    async def forbid(self, table: str) -> None:
        blocked = {"index.blocks.write": True}
        (await self._http.put(f"/{self._prefix}{table}/_settings", json=blocked)).raise_for_status()


def _answers() -> bool:
    try:
        return httpx2.get(f"{ADDRESS}/_cluster/health?wait_for_status=yellow").is_success
    except httpx2.HTTPError:
        return False
