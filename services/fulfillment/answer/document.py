"""What an answer to know says, as one document: the page is made of it, and a program reads it.

A categories answer lists what Civ. Code 1798.110, .115 and .130(a)(3)-(4) ask for, individualised by what is held
(11 CCR 7024(j)-(l)): what was sold or shared and what was disclosed for a business purpose are two lists.
Values that 11 CCR 7024(d) forbids to show are described by kind and count.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.fulfillment.answer.survey import Survey, Table
from services.fulfillment.answer.words import Words

Json = dict[str, Any]
Places = Mapping[tuple[str, str], tuple[str, ...]]


def compose(surveys: Sequence[Survey], places: Places, words: Words) -> Json:
    """The body of an answer: the categories over all systems, what is withheld, and each system's rows."""
    held = [category for survey in surveys for category in survey.categories]
    return {
        "categories": {
            "collected": [_named(name, words) for name in sorted({each["category"] for each in held})],
            "sources": _union(held, "sources"),
            "purposes": _union(held, "purposes"),
            "third_parties_disclosed_to": sorted(
                {*_union(held, "disclosed_to"), *_union(held, "sold_or_shared_to")}
            ),
            "sold_or_shared": _by_category(held, "sold_or_shared_to", words),
            "disclosed_for_a_business_purpose": _by_category(held, "disclosed_to", words),
        },
        "held_but_not_shown": [
            _described(survey, table, each, words) for survey, table, each in _withheld(surveys)
        ],
        "systems": [_system(survey, places, words) for survey in surveys],
    }


def _system(survey: Survey, places: Places, words: Words) -> Json:
    return {
        "system": survey.system,
        "title": survey.title or survey.system,
        "categories": [{**each, **_named(each["category"], words)} for each in survey.categories],
        "datasets": [
            _dataset(table, places[survey.system, table.dataset]) for table in survey.tables.values()
        ],
    }


def _dataset(table: Table, files: Sequence[str]) -> Json:
    """A table's rows by category; of a large one only where they lie."""
    found: Json = {"dataset": table.dataset, "count": table.count, "files": list(files)}
    if table.is_large:
        return {**found, "columns_by_category": columns_by_category(table)}
    return {**found, "by_category": _rows_by_category(table)}


def columns_by_category(table: Table) -> dict[str, list[str]]:
    """The statutory category of each column; a column without one stands under `other`."""
    found: dict[str, list[str]] = {}
    for column in table.columns:
        found.setdefault(table.categories.get(column, "other"), []).append(column)
    return dict(sorted(found.items()))


def _rows_by_category(table: Table) -> Json:
    return {
        name: [{column: row[column] for column in columns if column in row} for row in table.first]
        for name, columns in columns_by_category(table).items()
    }


def _named(category: str, words: Words) -> dict[str, str]:
    return {"category": category, "words": words.category(category)}


def _union(held: Iterable[Json], key: str) -> list[str]:
    return sorted({word for each in held for word in each[key]})


def _by_category(held: Sequence[Json], key: str, words: Words) -> list[Json]:
    to: dict[str, set[str]] = {}
    for each in held:
        if each[key]:
            to.setdefault(each["category"], set()).update(each[key])
    return [
        {**_named(name, words), "recipients": sorted(recipients)} for name, recipients in sorted(to.items())
    ]


def _withheld(surveys: Iterable[Survey]) -> Iterable[tuple[Survey, Table, Mapping[str, Any]]]:
    return (
        (survey, table, each)
        for survey in surveys
        for table in survey.tables.values()
        for each in table.withheld
    )


def _described(survey: Survey, table: Table, withheld: Mapping[str, Any], words: Words) -> Json:
    """With particularity, but without the value (11 CCR 7024(d))."""
    return {
        "system": survey.system,
        "title": survey.title or survey.system,
        "dataset": table.dataset,
        "kind": withheld["kind"],
        "words": words.withheld(withheld["kind"]),
        "count": withheld["count"],
    }
