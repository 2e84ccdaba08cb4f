"""The forms in which the log and the figures are handed over: CSV, JSON, a page to publish."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from deploy.reports.metrics import Figures
from deploy.reports.records import LOG_COLUMNS, RequestRecord

_TEMPLATES: Final = Environment(
    loader=PackageLoader("deploy.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["whole"] = lambda days: "none yet" if days is None else f"{days:g}"


def log_as_csv(records: Iterable[RequestRecord]) -> str:
    """A heading, then a line for each request."""
    return _csv(LOG_COLUMNS, (one.line() for one in records))


def log_as_json(records: Iterable[RequestRecord]) -> str:
    """One array."""
    return json.dumps([one.line() for one in records], indent=1) + "\n"


def figures_as_csv(found: Sequence[Figures]) -> str:
    """A heading, then a line for each kind of request."""
    return _csv(tuple(Figures.model_fields), (one.model_dump() for one in found))


def figures_as_json(found: Sequence[Figures], year: int, business: str) -> str:
    """One object, with the year and the business."""
    kinds = [one.model_dump() for one in found]
    return json.dumps({"year": year, "business": business, "requests": kinds}, indent=1) + "\n"


def figures_as_page(found: Sequence[Figures], year: int, business: str) -> str:
    """A page to publish by July 1 of the next year, in or linked from the privacy policy (11 CCR 7102(b))."""
    return _TEMPLATES.get_template("metrics.html").render(requests=found, year=year, business=business)


def _csv(columns: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
