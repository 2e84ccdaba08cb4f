"""A connector told in plain words: which requests it would send for what, before anything is sent."""

from collections.abc import Iterator

from services.fulfillment.adapters.http.connector import Change, CollectionSpec, Derived, Request
from services.fulfillment.adapters.http.reading import read_connector
from services.fulfillment.datamap.systems import System


def requests_of(system: System) -> str:
    """Every request that this system's connector knows, by collection.

    Raises:
        MapError: the connector cannot be used with this system's map.
    """
    connector = read_connector(system)
    lines = ["Ask, over HTTP", f"  check: {_said(connector.check)}"]
    for name in system.datamap.collections:
        lines += [f"  {name} {line}" for line in _collection(connector.collections[name])]
    return "\n".join(lines) + "\n"


def _collection(spec: CollectionSpec) -> Iterator[str]:
    for column, lookup in spec.find.items():
        if isinstance(lookup, Derived):
            yield f"find by {column}: nobody is asked; the key is {lookup.derive}"
        else:
            yield f"find by {column}: {_said(lookup.request)}"
    if spec.read is not None:
        yield f"read: {_said(spec.read.request)}"
    for verb in ("delete", "update", "opt_out", "limit", "correct"):
        change: Change | None = getattr(spec, verb)
        if change is not None:
            yield f"{verb}: {_change(change)}"


def _change(change: Change) -> str:
    steps = ", then ".join(_said(request) for request in (change.request, *change.then))
    many = f", {change.many} at a time" if change.many > 1 else ""
    return steps + many + (", as a job that is looked at later" if change.job else "")


def _said(request: Request) -> str:
    return f"{request.method} {request.path}"
