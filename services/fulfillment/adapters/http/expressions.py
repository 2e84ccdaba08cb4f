"""Every template and path of a connector: what is misspelt is found when the file is read, not when a person is."""

from collections.abc import Iterator
from typing import Any

from services.fulfillment.adapters.http.connector import (
    Change,
    CollectionSpec,
    Connector,
    Derived,
    Lookup,
    Request,
)
from services.fulfillment.adapters.http.paths import wrong
from services.fulfillment.adapters.http.templates import unknown_names

_ALWAYS = frozenset({"settings"})
_SOUGHT = _ALWAYS | {"value", "values"}


def problems_of(connector: Connector) -> Iterator[str]:
    """What no answer could ever satisfy."""
    if connector.base_url is not None:
        yield from (f"base_url: {each}" for each in unknown_names(connector.base_url, _ALWAYS))
    yield from _request(connector.check, "check", _ALWAYS)
    yield from _path(connector.check_holds or "@", "check_holds")
    for name, spec in connector.collections.items():
        yield from (f"collections.{name}.{problem}" for problem in _collection(spec))


def _collection(spec: CollectionSpec) -> Iterator[str]:
    for column, expression in spec.fields.items():
        yield from _path(expression, f"fields.{column}")
    yield from _find(spec)
    # A key may have any columns: their names are the map's, and checked when a row is asked for.
    for place, lookup in [("read", spec.read), *(("traces", trace) for trace in spec.traces)]:
        if lookup is not None:
            yield from _lookup(lookup, place, None)
    for verb in ("delete", "update", "opt_out", "limit", "correct"):
        change: Change | None = getattr(spec, verb)
        yield from _change(change, verb) if change else ()
    if spec.describe is not None:
        yield from _request(spec.describe.request, "describe.request", _ALWAYS)
        yield from _path(spec.describe.columns, "describe.columns")


def _find(spec: CollectionSpec) -> Iterator[str]:
    for column, lookup in spec.find.items():
        if isinstance(lookup, Derived):
            yield from (f"find.{column}.derive: {each}" for each in unknown_names(lookup.derive, _SOUGHT))
        else:
            yield from _lookup(lookup, f"find.{column}", _SOUGHT)


def _lookup(lookup: Lookup, place: str, known: frozenset[str] | None) -> Iterator[str]:
    yield from _request(lookup.request, f"{place}.request", known)
    paging = lookup.paging
    stated = [("rows", lookup.rows), ("absent", lookup.absent)]
    stated += [(f"paging.{key}", getattr(paging, key, None)) for key in ("next", "more", "pages")]
    for key, expression in stated:
        if expression:
            yield from _path(expression, f"{place}.{key}")


def _change(change: Change, place: str) -> Iterator[str]:
    for request in (change.request, *change.then):
        yield from _request(request, f"{place}.request", None)
    if change.done:
        yield from _path(change.done, f"{place}.done")
    if change.results is not None:
        for key in ("rows", "id", "ok", "absent"):
            expression = getattr(change.results, key)
            if expression:
                yield from _path(expression, f"{place}.results.{key}")
    if change.job is not None:
        yield from _request(change.job.poll, f"{place}.job.poll", _ALWAYS | {"job"})
        yield from _path(change.job.id, f"{place}.job.id")
        yield from _path(change.job.state, f"{place}.job.state")


def _request(request: Request, place: str, known: frozenset[str] | None) -> Iterator[str]:
    parts: dict[str, Any] = {
        "path": request.path,
        "query": request.query,
        "headers": request.headers,
        "json": request.body,
        "form": request.form,
    }
    for key, template in parts.items():
        for problem in unknown_names(template, known):
            yield f"{place}.{key}: {problem}"


def _path(expression: str, place: str) -> Iterator[str]:
    problem = wrong(expression)
    if problem is not None:
        yield f"{place}: {problem}"
