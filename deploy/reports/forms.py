"""The forms in which the log and the figures are handed over; the log's are written line by line."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict

from deploy.reports.metrics import OTHER_GROUNDS, Figures, Law
from deploy.reports.records import DETAILS, LOG_COLUMNS, Line

DATES: Final = frozenset({"date_of_request", "date_of_response", "answer_by", "last_event", "kept_through"})
FLAGS: Final = frozenset({"extended", "in_time"})
ROWS_AT_ONCE: Final = 10_000

_TEMPLATES: Final = Environment(
    loader=PackageLoader("deploy.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["number"] = "{:,}".format
_TEMPLATES.filters["whole"] = lambda days: "none yet" if days is None else f"{days:g}"


class Year(BaseModel):
    """Whose figures, of which year, under which law, and of Californians alone or of everybody."""

    model_config = ConfigDict(frozen=True)

    year: int
    business: str
    law: Law = Law.ccpa
    everybody: bool = False
    title: str | None = None


def columns(*, details: bool) -> tuple[str, ...]:
    """The log's fields, in order."""
    return (*LOG_COLUMNS, *DETAILS) if details else LOG_COLUMNS


def log_as_csv(lines: Iterable[Line], names: Sequence[str]) -> Iterator[str]:
    """A heading, then a line for each request."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for one in lines:
        yield _taken(text)
        writer.writerow(one)
    yield _taken(text)


def log_as_json(lines: Iterable[Line]) -> Iterator[str]:
    """One array, a request on each line."""
    before = "[\n"
    for one in lines:
        yield before + json.dumps(one, default=str)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def log_as_parquet(lines: Iterable[Line], names: Sequence[str], file: IO[bytes]) -> None:
    """Dates as dates; a group of rows for each ten thousand requests."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema([pa.field(name, _parquet_type(pa, name)) for name in names])
    rows = iter(lines)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while piece := list(islice(rows, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(piece, schema=schema))


def figures_as_csv(found: Sequence[Figures]) -> str:
    """A heading, then a line for each kind of request."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, tuple(Figures.model_fields), lineterminator="\n")
    writer.writeheader()
    for one in found:
        lists = {"exemptions": one.exemptions, "denied_other_grounds": one.denied_other_grounds}
        writer.writerow({**one.model_dump(), **{name: _listed(counts) for name, counts in lists.items()}})
    return text.getvalue()


def _listed(counts: Mapping[str, int]) -> str:
    return "; ".join(f"{name} {count}" for name, count in counts.items())


def figures_as_json(found: Sequence[Figures], year: Year) -> str:
    """One object, with the year and the business."""
    kinds = [one.model_dump() for one in found]
    return json.dumps({**year.model_dump(mode="json"), "requests": kinds}, indent=1) + "\n"


def figures_as_page(found: Sequence[Figures], year: Year) -> str:
    """A page to publish by July 1 of the next year, in or linked from the privacy policy (11 CCR 7102(a)(2))."""
    return _TEMPLATES.get_template("metrics.html").render(
        requests=found, said=year, brokers=year.law is Law.delete_act, grounds=OTHER_GROUNDS
    )


def _taken(text: io.StringIO) -> str:
    """What was written since the last time."""
    found = text.getvalue()
    text.seek(0)
    text.truncate()
    return found


def _parquet_type(pa: Any, name: str) -> Any:
    if name in DATES:
        return pa.date32()
    return pa.bool_() if name in FLAGS else pa.string()
