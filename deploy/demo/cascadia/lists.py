"""The lead lists that the sample business bought: a Parquet file for each delivery, in a folder."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DELIVERIES = 3
LOCK = ".habeas-lock"
_SCHEMA = pa.schema(
    [
        ("id", pa.int64()), ("email", pa.string()), ("first_name", pa.string()), ("phone", pa.string()),
        ("interest", pa.dictionary(pa.int8(), pa.string())), ("do_not_sell", pa.bool_()),
        ("created_at", pa.timestamp("ms", "UTC")),
    ]
)  # fmt: skip


def write_lists(folder: Path, records: Sequence[tuple[Any, ...]]) -> None:
    """Make the files anew."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for number in range(DELIVERIES):
        rows = [dict(zip(_SCHEMA.names, record, strict=True)) for record in records[number::DELIVERIES]]
        file = folder / f"delivery-{number + 1}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), file, compression="zstd", row_group_size=500)
        file.chmod(0o600)


def read_lists(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Every row of every file that is there, hidden ones too: a copy that was left behind still holds people."""
    for path in sorted(folder.iterdir()):
        if path.name != LOCK:
            yield from pq.read_table(path, partitioning=None).to_pylist()
