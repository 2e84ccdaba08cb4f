"""What a bucket adds to Delta tables: versions that outlive a deletion, wrong keys, answers that get lost."""

import logging
import re
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from services.fulfillment.adapters.delta import open_adapter
from services.fulfillment.adapters.delta.bucket import options
from services.fulfillment.adapters.delta.places import Files
from services.fulfillment.adapters.delta.store import DeltaStore
from services.fulfillment.adapters.delta.tables import LakeTable
from services.fulfillment.buckets import Account
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import Limits, Secret
from services.fulfillment.ports import Done, Frozen, Gone, NeedsPerson, Retry, StillPresent, Subject
from services.fulfillment.rowwise.store import StoreFailure
from tests.contracts.adapters.test_delta import ADA, KEY, SCHEMA, system
from tests.support.object_store import ObjectStore
from tests.support.shop import BEFORE, CUT_OFF, EMAIL

KEPT_SECRET = "not-to-be-told-anywhere"


class Lake:
    """A table of two files in a bucket with versions: Ada beside Bob in the first, another in the second."""

    def __init__(self, store: ObjectStore, home: Path) -> None:
        self.client, self.endpoint = store.client, store.endpoint
        self.bucket = store.new_bucket(versions=True)
        self.account = Account(self.bucket, "lake/", store.endpoint, None, "owner", KEPT_SECRET)
        self.home = home
        others = [{"lead": f"L{n}", "email": f"p{n}@example.com", "bought_at": BEFORE} for n in range(2)]
        for rows in ([ADA, others[0]], others[1:]):
            content = pa.Table.from_pylist(rows, SCHEMA)
            write_deltalake(self.uri, content, mode="append", storage_options=options(self.account))

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/lake/leads"

    def table(self, **more: Any) -> DeltaTable:
        return DeltaTable(self.uri, storage_options=options(self.account), **more)

    def system(self, key: str = "owner", endpoint: str | None = None) -> Any:
        for name, value in (("access", key), ("secret", KEPT_SECRET)):
            (self.home / name).write_text(value)
        made = system(
            self.home,
            settings={"endpoint": endpoint or self.endpoint},
            secrets={f"{name}_key": Secret(file=self.home / name) for name in ("access", "secret")},
            limits=Limits(connect_seconds=1, statement_seconds=5),
        )
        (self.home / "address").write_text(f"s3://{self.bucket}/lake")
        return made

    def holding(self, text: str) -> list[str]:
        """The names of objects with these bytes in any of their versions."""
        inside = re.compile(re.escape(text.encode()), re.IGNORECASE)
        listed = self.client.list_object_versions(Bucket=self.bucket).get("Versions", [])
        found = []
        for each in listed:
            named: Any = {"Bucket": self.bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
            if inside.search(self.client.get_object(**named)["Body"].read()):
                found.append(each["Key"])
        return found


class Overtaken:
    """The files of a table that somebody else has changed since it was opened."""

    remote = True

    def __init__(self, table: DeltaTable) -> None:
        self._table = table

    def open(self) -> DeltaTable:
        return self._table


@pytest.fixture
def lake(s3: ObjectStore, tmp_path: Path) -> Lake:
    return Lake(s3, tmp_path)


async def found(lake: Lake) -> Frozen:
    frozen = await open_adapter(lake.system()).find(Subject({"email": EMAIL}), cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen), frozen
    return frozen


async def test_a_deletion_leaves_the_person_in_no_version_of_any_object(lake: Lake) -> None:
    assert len(lake.holding(EMAIL)) >= 2  # a file, and the log with its largest and smallest values
    adapter, frozen = open_adapter(lake.system()), await found(lake)

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)

    assert isinstance(outcome, Done), outcome
    assert outcome.receipt.datasets[0].erased == 1
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    assert lake.holding(EMAIL) == []
    assert "DeleteMarkers" not in lake.client.list_object_versions(Bucket=lake.bucket)
    assert sorted(lake.table().to_pyarrow_table()["lead"].to_pylist()) == ["L0", "L1"]
    with pytest.raises(Exception, match=r"."):
        lake.table(version=0).to_pyarrow_table()


async def test_an_older_version_of_an_object_is_no_proof_and_the_next_attempt_removes_it(lake: Lake) -> None:
    adapter, frozen = open_adapter(lake.system()), await found(lake)
    table = lake.table()
    table.delete(f"lower(email) = '{EMAIL}'")
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    # The file is deleted, and its version is still there: the attempt died here.

    assert await adapter.prove("delete", frozen, cut_off=CUT_OFF) == StillPresent(1)
    await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key=KEY)
    assert isinstance(await adapter.prove("delete", frozen, cut_off=CUT_OFF), Gone)
    assert lake.holding(EMAIL) == []


async def test_another_writers_commit_is_not_overwritten_and_its_file_on_its_way_is_left(lake: Lake) -> None:
    lake.client.put_object(
        Bucket=lake.bucket, Key="lake/leads/part-on-its-way.parquet", Body=b"not committed yet"
    )
    leads = DeltaStore(lake.system(), {"leads": "leads"})["leads"]
    rows = await leads.held([("it's",)])
    overtaken = LakeTable(leads.collection, cast("Files", Overtaken(lake.table())), most=10)
    lake.table().delete("lead = 'it''s'")

    with pytest.raises(StoreFailure) as failure:
        await overtaken.erase(rows)
    await leads.settle()

    assert failure.value.meaning == "unknown"
    names = [each["Key"] for each in lake.client.list_objects_v2(Bucket=lake.bucket)["Contents"]]
    assert "lake/leads/part-on-its-way.parquet" in names
    assert lake.table().version() >= 2


async def test_neither_an_error_nor_the_log_tells_a_key(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    away = open_adapter(lake.system(endpoint="http://127.0.0.1:1"))
    missing = open_adapter(lake.system())
    (lake.home / "address").write_text("s3://no-such-bucket/lake")
    answers = [await each.find(Subject({"email": EMAIL}), cut_off=CUT_OFF) for each in (away, missing)]
    (lake.home / "access").unlink()
    without = await missing.find(Subject({"email": EMAIL}), cut_off=CUT_OFF)

    assert [type(each) for each in answers] == [Retry, Retry], answers
    assert isinstance(without, NeedsPerson)
    assert without.kind == "credentials"
    assert KEPT_SECRET not in f"{answers} {without} {caplog.text} {lake.account!r}"


def test_one_key_without_the_other_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="name access_key and secret_key, or neither"):
        open_adapter(system(tmp_path, secrets={"access_key": Secret(file=tmp_path / "a")}))
