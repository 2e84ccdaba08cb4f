"""The page that a person reads: on a telephone, with a screen reader, on paper, without any network."""

from collections.abc import Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.fulfillment.answer.document import Places, columns_by_category
from services.fulfillment.answer.survey import Survey, Table
from services.fulfillment.answer.words import Words

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


def page(document: Json, surveys: Sequence[Survey], places: Places, words: Words) -> bytes:
    """The page; `places` says where the rows of a system's table lie in the archive."""
    systems = [_system(survey, places, words) for survey in surveys]
    rendered = _TEMPLATES.get_template("page.html").render(
        document=document,
        systems=systems,
        w=words.page,
        day=words.day,
        language=words.language,
        business=_name(document["business"]),
    )
    return rendered.encode()


def _system(survey: Survey, places: Places, words: Words) -> Json:
    return {
        "title": survey.title or _name(survey.system),
        "categories": [{**each, "words": words.category(each["category"])} for each in survey.categories],
        "tables": [
            _table(table, places[survey.system, table.dataset], words)
            for table in survey.tables.values()
            if table.count
        ],
    }


def _table(table: Table, files: Sequence[str], words: Words) -> Json:
    groups = [(words.category(name), names) for name, names in columns_by_category(table).items()]
    shown = table.first[:ROWS_SHOWN]
    return {
        "title": _name(table.dataset),
        "groups": groups,
        "columns": [column for _, names in groups for column in names],
        "rows": shown,
        "count": table.count,
        "files": files,
    }


def _name(identifier: str) -> str:
    """A system's or table's own name, as words."""
    words = identifier.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:] if words.islower() else words
