"""A connector told in plain words: which requests it would send for what, before anything is sent."""

from collections.abc import Collection, Iterator

from services.fulfillment.adapters.http.connector import Change, CollectionSpec, Derived, Request
from services.fulfillment.adapters.http.masked import Masked
from services.fulfillment.adapters.http.reading import read_connector
from services.fulfillment.datamap.systems import System


def statements_of(system: System, kinds: Collection[str]) -> str:
    """Every request of a search by these kinds and of what may follow it, with names in the place of values.

    Raises:
        MapError: the connector cannot be used with this system's map.
    """
    masked = Masked(system, read_connector(system))
    sections = {
        "Requests": masked.finding(kinds),
        "Request that asks whether we are let in": masked.knocking(),
        "Requests that show what is held, or whether it is": masked.reading(),
        "Requests of a deletion": masked.deleting(),
        "Requests of an opt-out or a limit": masked.flagging(),
        "Requests of a correction": masked.correcting(),
    }
    told = {title: list(lines) for title, lines in sections.items()}
    texts = ["\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in told.items() if lines]
    return "\n\n".join([masked.every(), *texts]) + "\n"


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
