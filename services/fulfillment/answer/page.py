"""The page that a person reads: on a telephone, with a screen reader, on paper, without any network."""

from collections.abc import Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.fulfillment.answer.tables import columns_of

Json = dict[str, Any]

ROWS_SHOWN: Final = 200
"""More rows of one table than a person reads; the rest is in the table's file, and the page says so."""

_TEMPLATES: Final = Environment(
    loader=PackageLoader("services.fulfillment.answer"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def page(document: Json, exports: Sequence[Json], files: dict[tuple[str, str], str]) -> bytes:
    """The page; `files` says where the rows of a system's table lie in the archive."""
    systems = [
        {**export, "tables": [_table(export, data, files) for data in export["datasets"] if data["rows"]]}
        for export in exports
    ]
    rendered = _TEMPLATES.get_template("page.html").render(document=document, systems=systems)
    return rendered.encode()


def _table(export: Json, data: Json, files: dict[tuple[str, str], str]) -> Json:
    return {
        "title": data["dataset"],
        "columns": columns_of(data),
        "categories": data["categories"],
        "rows": data["rows"][:ROWS_SHOWN],
        "count": len(data["rows"]),
        "file": files[export["system"], data["dataset"]],
    }
