"""A connector's requests as they would be sent, but for the values: `:email` stands for what is not told.

They are filled from the same templates as those that are sent. What an answer would bring, an id or a column, is named.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jinja2 import TemplateError

from services.fulfillment.adapters.http.connector import Change, Connector, Derived, Lookup, Request
from services.fulfillment.adapters.http.templates import told
from services.fulfillment.datamap.disputes import corrigible
from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.datamap.graph import deletion_order, map_links, plan_walk
from services.fulfillment.datamap.model import MapCollection, MapField
from services.fulfillment.datamap.systems import System


class Masked:
    """One system's requests."""

    def __init__(self, system: System, connector: Connector) -> None:
        self._system = system
        self._connector = connector

    def every(self) -> str:
        """What goes with each of them; a secret is told by its name."""
        auth, names = self._connector.auth, ", ".join(sorted(self._connector.secrets()))
        shown = [f"authorization by {auth.kind}" + (f" ({names})" if names else "")]
        shown += [f"{name}: {text}" for name, text in self._connector.headers.items()]
        if self._connector.idempotency_header:
            methods = " or ".join(self._connector.idempotency_methods)
            header = self._connector.idempotency_header
            shown.append(f"{header}: :idempotency_key, where something is changed by {methods}")
        return f"Each request has {'; '.join(shown)}"

    def knocking(self) -> Iterator[str]:
        """Whether we are let in; asked again wherever 404 says that nothing is there."""
        yield self._line(self._connector.check, {})

    def finding(self, kinds: Collection[str]) -> Iterator[str]:
        """The searches, in the order of the walk."""
        plan = plan_walk(self._system.datamap, kinds)
        for seed in plan.seeds:
            name = f"sha256(:{seed.kind})" if seed.match == "sha256" else f":{seed.kind}"
            yield from self._found(seed.place.collection, [seed.place.field], name)
        for edge in plan.edges:
            for own, column in edge.pairs[:1]:
                yield from self._found(edge.target, [column], f":{edge.source}.{own}")

    def reading(self) -> Iterator[str]:
        """The rows by their keys: for a copy, before a change, and to prove it."""
        for name, spec in self._connector.collections.items():
            for lookup in (spec.read, *spec.traces):
                if lookup is not None:
                    yield self._line(lookup.request, self._key(name)) + _after(lookup)

    def deleting(self) -> Iterator[str]:
        """Children before parents."""
        datamap = self._system.datamap
        for name in deletion_order(datamap.collections, map_links(datamap)):
            collection, spec = datamap.collections[name], self._connector.collections[name]
            if collection.treatment == "erase" and spec.delete:
                yield from self._change(spec.delete, name, {})
            elif collection.treatment == "deidentify" and spec.update:
                yield from self._change(spec.update, name, dict(map(_in_place, collection.deidentified)))

    def flagging(self) -> Iterator[str]:
        """The columns that a right sets."""
        for name, collection in self._system.datamap.collections.items():
            spec = self._connector.collections[name]
            for right in sorted(FLAG_RIGHTS):
                flag, change = flag_of(collection, right), getattr(spec, right) or spec.update
                if flag is not None and change is not None:
                    yield from self._change(change, name, {flag.field: flag.value})

    def correcting(self) -> Iterator[str]:
        """The columns that are corrected by themselves, as if all of them were disputed."""
        for name, collection in self._system.datamap.collections.items():
            spec = self._connector.collections[name]
            changes = {field.name: f":{field.name}" for field in corrigible(collection)}
            change = spec.correct or spec.update
            if changes and change is not None:
                yield from self._change(change, name, changes)

    def _found(self, name: str, columns: list[str], value: str) -> Iterator[str]:
        (column,) = columns
        spec = self._connector.collections[name]
        way = spec.find.get(column) or spec.read
        if isinstance(way, Derived):
            key = self._fill(way.derive, {"value": value})
            yield f"nobody is asked for {name}: the key is {key}"
        elif way is not None:
            key = self._key(name) if column not in spec.find else {}
            yield self._line(way.request, {**key, "value": value, "values": [value, "..."]}) + _after(way)

    def _change(self, change: Change, name: str, changes: Mapping[str, Any]) -> Iterator[str]:
        known = {**self._key(name), "changes": changes, "idempotency_key": ":idempotency_key"}
        for request in (change.request, *change.then):
            yield self._line(request, known)
        if change.job is not None:
            states = " or ".join(change.job.done)
            yield f"{self._line(change.job.poll, {'job': ':job'})}, until it is {states}"

    def _key(self, name: str) -> dict[str, Any]:
        collection: MapCollection = self._system.datamap.collections[name]
        columns = {column: f":{column}" for column in collection.primary_key}
        single = {"id": next(iter(columns.values()))} if len(columns) == 1 else {}
        return {**columns, **single, "ids": [*columns.values(), "..."] if single else []}

    def _line(self, request: Request, known: Mapping[str, Any]) -> str:
        path = self._fill(request.path, known)
        query = {key: each for key, each in self._fill(request.query, known).items() if each is not None}
        parts = [f"{request.method} {path}" + (f"?{_pairs(query)}" if query else "")]
        parts += [f"{key}: {text}" for key, text in self._fill(request.headers, known).items()]
        if request.body is not None:
            parts.append(json.dumps(self._fill(request.body, known), ensure_ascii=False))
        if request.form is not None:
            form = {key: each for key, each in self._fill(request.form, known).items() if each is not None}
            parts.append(f"form {_pairs(form)}")
        return " ".join(parts)

    def _fill(self, template: Any, known: Mapping[str, Any]) -> Any:
        try:
            return told(template)({"settings": self._system.settings, **known})
        except (TemplateError, TypeError, ValueError, ArithmeticError):
            return template  # It reckons with a value, and a name is none: told as it is written.


def _in_place(field: MapField) -> tuple[str, Any]:
    """What takes a value's place, as far as it is known before."""
    stated = field.deidentify
    if stated is None or stated.strategy == "set_null":
        return field.name, None
    return field.name, stated.value if stated.strategy == "constant" else f":{stated.strategy}"


def _after(lookup: Lookup) -> str:
    return ", and the pages after it" if lookup.paging else ""


def _pairs(values: Mapping[str, Any]) -> str:
    return "&".join(
        f"{key}={each if isinstance(each, str) else json.dumps(each)}" for key, each in values.items()
    )
