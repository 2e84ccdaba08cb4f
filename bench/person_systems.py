"""The places where one person has very many rows, each with the files that tell a service of it."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from services.fulfillment.adapters.objects.folder import STAGED

EMAIL, OTHER = "ada@example.com", "bob@example.com"
KINDS = ("postgresql", "jsonl", "parquet")
OTHERS_ROWS = 1000
SCHEMA = """
DROP TABLE IF EXISTS visits, people;
CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE visits (
  id bigint PRIMARY KEY, person_id int NOT NULL REFERENCES people, note text, created_at timestamptz NOT NULL);
INSERT INTO people VALUES (1, '{ada}', now() - interval '3 years'), (2, '{bob}', now() - interval '3 years');
INSERT INTO visits SELECT n, CASE WHEN n > {rows} THEN 2 ELSE 1 END, 'visit ' || n || ', a line of words as apps keep',
  now() - interval '2 years' FROM generate_series(1, {rows} + {others}) n;
CREATE INDEX ON visits (person_id);
ANALYZE people, visits;
"""
_CREATED = {"fides_meta": {"habeas": {"created_at": "created_at"}}}
_ID = {"name": "id", "fides_meta": {"primary_key": True}}
_EMAIL = {"name": "email", "data_categories": ["user.contact.email"], "fides_meta": {"identity": "email"}}
_OWNER = {
    "name": "person_id",
    "fides_meta": {"references": [{"dataset": "events", "field": "people.id", "direction": "from"}]},
}
_NOTE = {"name": "note", "data_categories": ["user.behavior.browsing_history"]}


class Place:
    """One system; `rows` are the person's visits, beside the row that says who they are."""

    def __init__(self, kind: str, folder: Path, url: str, rows: int, *, business: str = "bench") -> None:
        self.kind, self.folder, self.rows = kind, folder / kind, rows
        self.url, self._business = url, business
        self.systems = self.folder / "systems"
        self._files = self.folder / "files"

    async def fill(self, limits: dict[str, Any]) -> None:
        """As it was before anybody asked for anything."""
        self._describe(limits)
        if self.kind == "postgresql":
            await self._run(SCHEMA.format(rows=self.rows, others=OTHERS_ROWS, ada=EMAIL, bob=OTHER))
        else:
            await asyncio.to_thread(self._write_files)

    async def left(self) -> tuple[int, int]:
        """How many rows of the person are there, and of somebody else."""
        if self.kind == "postgresql":
            connection = await asyncpg.connect(self.url)
            found = await connection.fetch("SELECT person_id, count(*) FROM visits GROUP BY person_id")
            await connection.close()
            counts = {row[0]: row[1] for row in found}
        else:
            owners = [one["person_id"] for one in self._visits()]
            counts = {one: owners.count(one) for one in (1, 2)}
        return counts.get(1, 0), counts.get(2, 0)

    async def half_done(self) -> bool:
        """Whether half of the person's rows are gone; of files, whether a new one is being written."""
        if self.kind == "postgresql":
            return (await self.left())[0] <= self.rows / 2
        return any(self._files.glob(f"{STAGED}*"))

    async def _run(self, statements: str) -> None:
        connection = await asyncpg.connect(self.url)
        await connection.execute(statements, timeout=1800)
        await connection.close()

    def _describe(self, limits: dict[str, Any]) -> None:
        self.systems.mkdir(parents=True, exist_ok=True)
        self._files.mkdir(exist_ok=True)
        tables = [
            {"name": "people", **_CREATED, "fields": [_ID, _EMAIL, {"name": "created_at"}]},
            {"name": "visits", **_CREATED, "fields": [_ID, _OWNER, _NOTE, {"name": "created_at"}]},
        ]
        dataset = {"dataset": [{"fides_key": "events", "name": "events", "collections": tables}]}
        (self.folder / "map.yaml").write_text(yaml.safe_dump(dataset))
        in_files = self.kind != "postgresql"
        (self.folder / "url").write_text(f"file://{self._files}" if in_files else self.url)
        settings = {f"files.{name}": f"{name}.{self.kind}" for name in ("people", "visits")}
        stated = {
            "system": "events",
            "kind": "objects" if in_files else "sql",
            "business": self._business,
            "url": {"file": str(self.folder / "url")},
            "dataset": str(self.folder / "map.yaml"),
            "limits": limits,
            **({"settings": settings} if in_files else {}),
        }
        (self.systems / "events.yaml").write_text(yaml.safe_dump(stated))

    def _write_files(self) -> None:
        born = datetime(2025, 1, 1, tzinfo=UTC)
        people = [{"id": n, "email": one, "created_at": born} for n, one in ((1, EMAIL), (2, OTHER))]
        self._write("people", iter(people))
        self._write("visits", self._made(born))

    def _made(self, born: datetime) -> Iterator[dict[str, Any]]:
        for n in range(1, self.rows + OTHERS_ROWS + 1):
            note = f"visit {n}, a line of words as apps keep"
            yield {"id": n, "person_id": 2 if n > self.rows else 1, "note": note, "created_at": born}

    def _write(self, name: str, rows: Iterator[dict[str, Any]]) -> None:
        path = self._files / f"{name}.{self.kind}"
        if self.kind == "parquet":
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
            return
        with path.open("w") as file:
            file.writelines(
                json.dumps({**row, "created_at": row["created_at"].isoformat()}) + "\n" for row in rows
            )

    def _visits(self) -> list[dict[str, Any]]:
        path = self._files / f"visits.{self.kind}"
        if not path.exists():
            return []
        if self.kind == "parquet":
            return list(pq.read_table(path, columns=["person_id"]).to_pylist())
        return [json.loads(line) for line in path.read_text().splitlines()]
