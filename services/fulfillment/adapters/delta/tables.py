"""One Delta table: its rows looked up, and changed in one commit that touches only the files that hold them."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from services.fulfillment.adapters.delta import conditions, forgetting
from services.fulfillment.adapters.delta.places import Files
from services.fulfillment.columnar.arrays import replaced, whole
from services.fulfillment.columnar.schemas import lacks, steps_of
from services.fulfillment.columnar.sifting import Reading, reading_of, sifted
from services.fulfillment.datamap.additions import Match
from services.fulfillment.datamap.model import MapCollection
from services.fulfillment.ports import Key
from services.fulfillment.rowwise.reading import SAID
from services.fulfillment.rowwise.rows import Row, RowFailure, RowShape
from services.fulfillment.rowwise.store import Meaning, StoreFailure
from services.fulfillment.rowwise.wanted import Answers, Asked, Askers, Wanted, equal, identity
from services.fulfillment.too_much import matches_of_one


class LakeTable:
    """One collection of the map."""

    def __init__(self, collection: MapCollection, files: Files, most: int) -> None:
        self.collection = collection
        self.shape = RowShape(collection, collection.primary_key)
        self._files = files
        self.most = most

    @property
    def name(self) -> str:
        return self.collection.name

    def found_by(self, column: str) -> bool:
        """Columns can be searched by anything."""
        return column in self.collection.fields

    async def matching(self, column: str, seed: str, match: Match) -> list[Row]:
        return await self._found(identity(column, seed, match), column, self.most)

    async def having(self, column: str, values: Sequence[object], *, most: int) -> list[Row]:
        return await self._found(equal([column], [(value,) for value in values]), column, most)

    async def answers(self, asked: Sequence[Asked]) -> list[list[Row] | None]:
        """The rows of each question, all by one reading; None where one has too many."""
        return await asyncio.to_thread(self._answers, asked)

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

    def schema(self) -> pa.Schema:
        """The columns that the table has."""
        return _schema(self._open())

    def _in_old_files(self, keys: Sequence[Key]) -> list[Row]:
        wanted = {tuple(map(str, key)) for key in keys}
        found: list[Row] = []
        for file in forgetting.old_files(self._files):
            content = pq.ParquetFile(file)
            reading = reading_of(content.schema_arrow, self.collection.fields.values())
            for batch in content.iter_batches():
                rows = reading.rows(batch)
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
        with told(f"{self.name}.change", remote=self._files.remote):
            source = self._changed(table, after)
        columns = sorted(set(source.column_names) - set(self.shape.key))
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

    def _changed(self, table: DeltaTable, after: Mapping[Key, Mapping[str, Any]]) -> pa.Table:
        """These rows' keys and outermost columns, as they are to be.

        One commit sets the same columns in all rows: what is another row's to become stays what it is.
        """
        fields = self.collection.fields
        names = sorted({name for own in after.values() for name in own})
        outermost = sorted({*self.shape.key, *(fields[name].outermost for name in names)})
        keys = self._texts(list(after))
        found = [
            (keys[text], part.slice(place, 1))
            for _, part, rows in self._read(table, [equal(self.shape.key, list(after))], outermost)
            for place, row in enumerate(rows)
            if (text := tuple(map(str, self.shape.key_of(row)))) in keys
        ]
        source = pa.concat_tables([part for _, part in found]).combine_chunks()
        for name in names:
            first, *inside = steps_of(fields[name])
            own = {place: after[key][name] for place, (key, _) in enumerate(found) if name in after[key]}
            place = source.schema.get_field_index(first)
            column = replaced(whole(source.column(place)), inside, own)
            source = source.set_column(place, source.schema.field(place), column)
        return source

    def _texts(self, keys: Sequence[Key]) -> dict[tuple[str, ...], Key]:
        return {tuple(map(str, key)): key for key in keys}

    def _held(self, table: DeltaTable, keys: Sequence[Key]) -> dict[Key, Row]:
        wanted = self._texts(keys)
        found: dict[Key, Row] = {}
        for row in self._rows(table, equal(self.shape.key, keys)):
            key = wanted.get(tuple(map(str, self.shape.key_of(row))))
            if key is not None:
                found[key] = row
        return found

    async def _found(self, wanted: Wanted, where: str, most: int) -> list[Row]:
        [rows] = await self.answers([Asked(wanted, most)])
        if rows is None:
            raise RowFailure("unbounded", matches_of_one(most, f"rows of {self.name}", where))
        return rows

    def _answers(self, asked: Sequence[Asked]) -> list[list[Row] | None]:
        askers, answers = Askers(asked), Answers(asked)
        number_of_rows = count()
        for place, _, rows in self._read(self._open(), askers.wanted, self.collection.outermost):
            for row in rows:
                at = next(number_of_rows)
                for number in askers.of(place, row):
                    answers.put(number, at, row)
            if answers.over:
                break
        return answers.all()

    def _rows(self, table: DeltaTable, wanted: Wanted) -> Iterator[Row]:
        for _, _, rows in self._read(table, [wanted], self.collection.outermost):
            yield from rows

    def _read(
        self, table: DeltaTable, wanted: Sequence[Wanted], columns: Sequence[str]
    ) -> Iterator[tuple[int, pa.Table, list[Row]]]:
        """What is meant, part by part, with the place of the condition that it meets.

        Whole columns are compared first, and row by row what is left.
        """
        schema = _schema(table)
        self._refuse_lack(schema)
        fields = [field for field in self.collection.fields.values() if field.outermost in columns]
        reading = reading_of(schema, fields)
        with told(f"{self.name}.read", remote=self._files.remote):
            for batch in table.to_pyarrow_dataset().to_batches(columns=list(columns)):
                for place, one in enumerate(wanted):
                    yield place, *_meant(pa.Table.from_batches([batch]), reading, one)

    def _refuse_lack(self, schema: pa.Schema) -> None:
        for name, lack in sorted(lacks(schema, self.collection.fields.values()).items()):
            raise RowFailure("schema", f"{self.name}.{name} {SAID[lack]}")

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


def _meant(part: pa.Table, reading: Reading, wanted: Wanted) -> tuple[pa.Table, list[Row]]:
    likely = sifted(lambda name: part.column(reading.paths[name][0]), reading.paths, wanted)
    some = part.take(likely)
    rows = reading.rows(some)
    places = [place for place, row in enumerate(rows) if wanted.holds(row)]
    return some.take(pa.array(places, pa.int64())), [rows[place] for place in places]


def _schema(table: DeltaTable) -> pa.Schema:
    return table.to_pyarrow_dataset().schema
