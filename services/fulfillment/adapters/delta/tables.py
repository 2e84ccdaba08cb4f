"""One Delta table: its rows looked up, and changed in one commit that touches only the files that hold them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from services.fulfillment.adapters.delta import conditions, forgetting
from services.fulfillment.adapters.delta.places import Files
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape
from services.fulfillment.rowwise.store import Meaning, StoreFailure


class LakeTable:
    """One collection of the map."""

    def __init__(self, collection: MapCollection, files: Files, most: int) -> None:
        self.collection = collection
        self.shape = RowShape(collection, collection.primary_key)
        self._files = files
        self._most = most

    @property
    def name(self) -> str:
        return self.collection.name

    def found_by(self, column: str) -> bool:
        """Columns can be searched by anything."""
        return column in self.collection.fields

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        return await self._found(lambda: conditions.identity(column, seed, match), column, self._most)

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        return await self._found(lambda: conditions.among(column, values), column, most)

    async def held(self, keys: Sequence[Key]) -> dict[Key, Row]:
        return await asyncio.to_thread(lambda: self._held(self._open(), keys)) if keys else {}

    async def erase(self, rows: Mapping[Key, Row]) -> int:
        return await asyncio.to_thread(self._erase, rows)

    async def change(self, rows: Mapping[Key, Row], values: Callable[[Row], Mapping[str, Any]]) -> int:
        return await asyncio.to_thread(self._change, rows, values)

    async def settle(self) -> None:
        """Take away what older versions are made of."""
        with told(f"{self.name}.vacuum", changes=True):
            await asyncio.to_thread(forgetting.forget, self._files)

    async def left_behind(self, keys: Sequence[Key]) -> list[Row]:
        """The rows of these keys in files that only older versions are made of."""
        with told(f"{self.name}.vacuum", remote=self._files.remote):
            return await asyncio.to_thread(self._in_old_files, keys)

    def columns(self) -> set[str]:
        """The columns that the table has."""
        return set(self._schema(self._open()).names)

    def _in_old_files(self, keys: Sequence[Key]) -> list[Row]:
        wanted = {tuple(map(str, key)) for key in keys}
        found: list[Row] = []
        for file in forgetting.old_files(self._files):
            for batch in pq.ParquetFile(file).iter_batches():
                rows = batch.to_pylist()
                found += [row for row in rows if tuple(str(row.get(n)) for n in self.shape.key) in wanted]
        return found

    def _erase(self, rows: Mapping[Key, Row]) -> int:
        table = self._open()
        mine = self._as_read(table, rows, (self.collection.created_at,))
        if not mine:
            return 0
        self._refuse_append_only(table)
        with told(f"{self.name}.erase", changes=True, remote=self._files.remote):
            said = table.delete(conditions.predicate(self.shape.key, list(mine)))
        return int(said["num_deleted_rows"])

    def _change(self, rows: Mapping[Key, Row], values: Callable[[Row], Mapping[str, Any]]) -> int:
        table = self._open()
        mine = self._as_read(table, rows, (self.collection.created_at,))
        after = {key: own for key, row in mine.items() if (own := values(row))}
        if not after:
            return 0
        self._refuse_append_only(table)
        columns = sorted({name for own in after.values() for name in own})
        # One commit sets the same columns in all rows: what is another row's to become stays what it is.
        changes = [
            {**_named(self.shape.key, key), **{name: mine[key].get(name) for name in columns}, **own}
            for key, own in after.items()
        ]
        schema = self._schema(table)
        source = pa.Table.from_pylist(changes, pa.schema([schema.field(name) for name in changes[0]]))
        same = " AND ".join(f'old."{name}" = new."{name}"' for name in self.shape.key)
        with told(f"{self.name}.change", changes=True, remote=self._files.remote):
            merging = table.merge(source, same, source_alias="new", target_alias="old")
            said = merging.when_matched_update({f'"{n}"': f'new."{n}"' for n in columns}).execute()
        return int(said["num_target_rows_updated"])

    def _refuse_append_only(self, table: DeltaTable) -> None:
        if table.metadata().configuration.get("delta.appendOnly", "").lower() == "true":
            raise StoreFailure("refused", f"{self.name}: the table says that it is only ever added to")

    def _as_read(self, table: DeltaTable, rows: Mapping[Key, Row], times: Any) -> dict[Key, Row]:
        """Those whose time of creation is still what was read, in the version that the change is bound to."""
        fields = [each.field for each in times if each]
        now = self._held(table, list(rows))
        return {key: row for key, row in now.items() if all(row[f] == rows[key][f] for f in fields)}

    def _held(self, table: DeltaTable, keys: Sequence[Key]) -> dict[Key, Row]:
        wanted = {tuple(map(str, key)): key for key in keys}
        found: dict[Key, Row] = {}
        for row in self._rows(table, lambda: conditions.keyed(self.shape.key, keys)):
            key = wanted.get(tuple(map(str, self.shape.key_of(row))))
            if key is not None:
                found[key] = row
        return found

    async def _found(self, condition: Callable[[], Any], where: str, most: int) -> list[Row]:
        rows = await asyncio.to_thread(lambda: list(self._some(condition, most)))
        if len(rows) > most:
            raise RowFailure("unbounded", f"{self.name}.{where}: more than {most} rows match")
        return rows

    def _some(self, condition: Callable[[], Any], most: int) -> Iterator[Row]:
        for number, row in enumerate(self._rows(self._open(), condition)):
            yield row
            if number >= most:
                return

    def _rows(self, table: DeltaTable, condition: Callable[[], Any]) -> Iterator[Row]:
        names = self._schema(table).names
        if missing := sorted(set(self.collection.fields) - set(names)):
            raise RowFailure("schema", f"{self.name}.{missing[0]} is missing")
        with told(f"{self.name}.read", remote=self._files.remote):
            dataset = table.to_pyarrow_dataset()
            for batch in dataset.to_batches(columns=list(self.collection.fields), filter=condition()):
                yield from batch.to_pylist()

    def _schema(self, table: DeltaTable) -> pa.Schema:
        return table.to_pyarrow_dataset().schema

    def _open(self) -> DeltaTable:
        with told(self.name, remote=self._files.remote):
            return self._files.open()


@contextmanager
def told(where: str, *, changes: bool = False, remote: bool = False) -> Iterator[None]:
    """Turn the library's errors into ours; a commit that lost against another's was not made.

    Where an answer can be lost on its way, nobody knows whether it was; and what cannot be read is away.

    Raises:
        StoreFailure: something did not go well.
    """
    try:
        yield
    except TableNotFoundError:
        raise StoreFailure("schema", f"{where}: there is no Delta table") from None
    except CommitFailedError:
        lost: Meaning = "unknown" if remote else "busy"
        raise StoreFailure(lost if changes else "refused", f"{where}: another's commit came first") from None
    except (DeltaError, pa.ArrowException, OSError) as error:
        raise StoreFailure(
            _meaning(error, changes=changes, remote=remote), f"{where}: {type(error).__name__}"
        ) from None


def _meaning(error: Exception, *, changes: bool, remote: bool) -> Meaning:
    if isinstance(error, FileNotFoundError):
        return "busy"
    if remote and isinstance(error, OSError):
        return "unknown" if changes else "away"
    return "refused"


def _named(columns: Sequence[str], key: Key) -> dict[str, Any]:
    return dict(zip(columns, key, strict=True))
