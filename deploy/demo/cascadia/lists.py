"""The lead lists that the sample business bought: a Parquet file for each delivery, in an object store or a folder.

A seller delivers a list in instalments: each is the list so far, put over the one before, which the store keeps as a
version. One list was sent back to its seller: the store keeps that, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from deploy.demo.cascadia.lead_store import REGION, Keys
from deploy.demo.cascadia.places import LISTS, SYSTEMS, Places

DELIVERIES = 3
INSTALMENTS = (16, 2, 1)
"""What part of a list is there after each: a sample, half of it, all of it."""

OLDER = DELIVERIES * (len(INSTALMENTS) - 1) + 1
"""How many older versions a store has at first: of each list all instalments but the last, and the returned list."""

LOCK = ".habeas-lock"
BUCKET, BELOW = "cascadia-lead-lists", "bought/"
_SCHEMA = pa.schema(
    [
        ("id", pa.int64()), ("email", pa.string()), ("first_name", pa.string()), ("phone", pa.string()),
        ("interest", pa.dictionary(pa.int8(), pa.string())), ("do_not_sell", pa.bool_()),
        ("created_at", pa.timestamp("ms", "UTC")),
    ]
)  # fmt: skip

Record = tuple[Any, ...]
Row = Mapping[str, Any]


class Lists(Protocol):
    """Where the lists lie, as their owner sees it."""

    def write(self, records: Sequence[Record]) -> None:
        """Make them anew."""
        ...

    def rows(self) -> Iterator[Row]:
        """Every row of every list as it is now."""
        ...

    def past(self) -> Iterator[tuple[str, Row]]:
        """Every row of every older version that can still be read, and which version that is."""
        ...


class InFolder:
    """Files of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, records: Sequence[Record]) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for path in self._folder.iterdir():
            path.unlink()
        for name, delivered in _deliveries(records):
            file = self._folder / name
            file.write_bytes(_parquet(delivered))
            file.chmod(0o600)

    def rows(self) -> Iterator[Row]:
        """Hidden files too: a copy that was left behind still holds people."""
        for path in sorted(self._folder.iterdir()):
            if path.name != LOCK:
                yield from _rows(path.read_bytes())

    def past(self) -> Iterator[tuple[str, Row]]:
        yield from ()


class InStore:
    """Objects of a bucket that keeps every version."""

    def __init__(self, keys: Keys) -> None:
        self._client = keys.client()

    def write(self, records: Sequence[Record]) -> None:
        self._client.create_bucket(Bucket=BUCKET)
        self._client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for name, delivered in _deliveries(records):
            for part in INSTALMENTS:
                self._put(name, delivered[: len(delivered) // part])
        self._put("returned.parquet", records[: len(records) // DELIVERIES])
        self._client.delete_object(Bucket=BUCKET, Key=f"{BELOW}returned.parquet")

    def rows(self) -> Iterator[Row]:
        for _, row in self._read(current=True):
            yield row

    def past(self) -> Iterator[tuple[str, Row]]:
        yield from self._read(current=False)

    def _read(self, *, current: bool) -> Iterator[tuple[str, Row]]:
        for page in self._client.get_paginator("list_object_versions").paginate(Bucket=BUCKET):
            for each in page.get("Versions", []):
                if each["IsLatest"] == current:
                    key, version = each["Key"], each["VersionId"]
                    content = self._client.get_object(Bucket=BUCKET, Key=key, VersionId=version)
                    for row in _rows(content["Body"].read()):
                        yield f"{key} {version}", row

    def _put(self, name: str, records: Sequence[Record]) -> None:
        self._client.put_object(Bucket=BUCKET, Key=f"{BELOW}{name}", Body=_parquet(records))


def lists_of(places: Places) -> Lists:
    """In the store, if its owner's keys are there."""
    if places.store_keys.exists():
        return InStore(Keys.read(places.store_keys))
    return InFolder(places.lists)


def describe_lists(places: Places, systems: Path) -> None:
    """Say in the system file where the store listens and by which keys; of a folder it is all said."""
    if not places.store_keys.exists():
        return
    file = systems / f"{SYSTEMS[LISTS]}.yaml"
    system = yaml.safe_load(file.read_text())
    system["settings"] |= {"endpoint": Keys.read(places.store_keys).endpoint, "region": REGION}
    folder = places.folder.name
    system["secrets"] = {
        name: {"file": f"{folder}/{places.secret(LISTS, name).name}"} for name in ("access_key", "secret_key")
    }
    file.write_text(yaml.safe_dump(system, allow_unicode=True, sort_keys=False))


def _deliveries(records: Sequence[Record]) -> Iterator[tuple[str, Sequence[Record]]]:
    for number in range(DELIVERIES):
        yield f"delivery-{number + 1}.parquet", records[number::DELIVERIES]


def _parquet(records: Sequence[Record]) -> bytes:
    rows = [dict(zip(_SCHEMA.names, record, strict=True)) for record in records]
    file = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), file, compression="zstd", row_group_size=500)
    return file.getvalue()


def _rows(content: bytes) -> Iterator[Row]:
    yield from pq.read_table(BytesIO(content), partitioning=None).to_pylist()
