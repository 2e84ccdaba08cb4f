"""The page that a person reads: on a telephone, with a screen reader, on paper, without any network."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.fulfillment.answer.document import Places, columns_by_category
from services.fulfillment.answer.survey import Survey, Table, in_words
from services.fulfillment.answer.words import Words

Json = dict[str, Any]

ROWS_SHOWN: Final = 200
"""More rows of one table than a person reads; the rest is in the table's file, and the page says so."""

ROWS_OPEN: Final = 10
"""A longer table is folded up until somebody opens it; on paper all of them are open."""

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
        as_is=any(survey.lacks_words for survey in surveys),
        business=_business(document["business"]),
        facts=list(_facts(document, surveys, words)),
        opened=ROWS_OPEN,
        collected=[_cited(one) for one in document["categories"]["collected"]],
        sold=[_cited(one) for one in document["categories"]["sold_or_shared"]],
        disclosed=[_cited(one) for one in document["categories"]["disclosed_for_a_business_purpose"]],
    )
    return rendered.encode()


def _facts(document: Json, surveys: Sequence[Survey], words: Words) -> Iterator[tuple[str, str]]:
    """The whole answer in a few numbers; what there is none of is not spoken of."""
    counted = {
        "fact_records": sum(table.count for survey in surveys for table in survey.tables.values()),
        "fact_kinds": len(document["categories"]["collected"]),
        "fact_systems": len(surveys),
        "fact_withheld": sum(one["count"] for one in document["held_but_not_shown"]),
    }
    for name, count in counted.items():
        if count:
            yield f"{count:,}", words.page[name][count != 1]


def _cited(one: Json) -> Json:
    """A category's name apart from its place in the statute, which few people read."""
    name, _, cite = one["words"].partition(" (")
    return {**one, "name": name, "cite": cite.removesuffix(")")}


def _system(survey: Survey, places: Places, words: Words) -> Json:
    return {
        "title": survey.title or in_words(survey.system),
        "categories": [
            _cited({**each, "words": words.category(each["category"])}) for each in survey.categories
        ],
        "tables": [
            _table(survey, table, places[survey.system, table.dataset], words)
            for table in survey.tables.values()
            if table.count
        ],
    }


def _table(survey: Survey, table: Table, files: Sequence[str], words: Words) -> Json:
    by_category = sorted(
        columns_by_category(table).items(), key=lambda one: list(table.columns).index(one[1][0])
    )
    groups = [(words.category(name), names) for name, names in by_category]
    shown = table.first[:ROWS_SHOWN]
    return {
        "title": survey.named(table.dataset),
        "groups": groups,
        "columns": [(column, survey.named(column)) for _, names in groups for column in names],
        "rows": shown,
        "count": table.count,
        "files": files,
    }


def _business(name: str) -> str:
    """A business goes by a name, whose words begin with capitals."""
    words = in_words(name)
    return words.title() if words.lower() == name.replace("-", " ").replace("_", " ") else words
