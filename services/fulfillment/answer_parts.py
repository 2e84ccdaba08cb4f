"""One system's part of an answer, as it lies sealed in the folder: its rows as they came, then what they are.

Lines of JSON: `{"dataset": …, "rows": […]}` any number of times, and one last line without rows that says what each
table is and which categories are held. Nobody has to hold more of it than one line.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from services.fulfillment.answer_seal import SealedWriter
from services.fulfillment.ports import Export, ExportedDataset
from services.fulfillment.second_net import Net
from shared.tasks.work import GoesOn, unwatched

Json = dict[str, Any]
ROWS_IN_A_LINE: Final = 200


@dataclass(frozen=True, slots=True)
class PartWriter:
    """Takes a system's rows as they are read."""

    sealed: SealedWriter
    net: Net = field(default_factory=Net)
    goes_on: GoesOn = unwatched

    async def take(self, dataset: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows of one table; they are sealed at once."""
        self.net.look(dataset, rows)
        for start in range(0, len(rows), ROWS_IN_A_LINE):
            some = [dict(row) for row in rows[start : start + ROWS_IN_A_LINE]]
            await self.sealed.write(_line({"dataset": dataset, "rows": some}))
            await self.goes_on()

    async def finish(
        self, export: Export, title: str, words: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    ) -> None:
        """What was not taken yet, what all of it is, and the words for it in other languages."""
        for data in export.datasets:
            await self.take(data.dataset, data.rows)
        about = {
            "system": export.system,
            "title": title,
            "words": {language: dict(known) for language, known in words.items()},
            "categories": [category.to_json() for category in export.categories],
            "datasets": [_described(data) for data in export.datasets],
        }
        await self.sealed.write(_line(about))
        await self.sealed.end()


def _described(data: ExportedDataset) -> Json:
    withheld = [{"column": w.column, "kind": w.kind, "count": w.count} for w in data.withheld]
    return {
        "dataset": data.dataset,
        "categories": dict(data.categories),
        "withheld": withheld,
        "count": data.count,
    }


def _line(content: Json) -> bytes:
    return json.dumps(content, ensure_ascii=False, default=str).encode() + b"\n"


def lines_of(system: Json) -> Iterator[Json]:
    """A part as services of an earlier version wrote it, one JSON object, in the lines of today."""
    for data in system["datasets"]:
        yield {"dataset": data["dataset"], "rows": data["rows"]}
    described = [
        {**{name: data[name] for name in ("dataset", "categories", "withheld")}, "count": len(data["rows"])}
        for data in system["datasets"]
    ]
    yield {"system": system["system"], "title": "", "categories": system["categories"], "datasets": described}
