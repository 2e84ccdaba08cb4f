"""A request ready to be filled and sent: its templates compiled once, its slots for the next page."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.fulfillment.adapters.http.connector import Meaning, Request
from services.fulfillment.adapters.http.templates import Filled, Variables, compiled

_STEP = re.compile(r"[^.\[\]]+")


@dataclass
class Outbound:
    """What goes out, filled; a person's values are in it, so it is never shown or kept."""

    method: str
    path: str
    query: dict[str, Any]
    headers: dict[str, str]
    body: Any = None
    form: dict[str, Any] | None = None

    def put(self, slot: str, value: Any) -> None:
        """Set the place that a page's position goes into, making what is not there yet."""
        where, _, rest = slot.partition(".")
        holder: Any = {"query": self.query, "form": self.form, "json": self.body}[where]
        steps = _STEP.findall(rest) if where == "json" else [rest]
        for step in steps[:-1]:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        holder[steps[-1]] = value


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request of a connector; `where` names it in reasons, and `changes` says that it does something."""

    where: str
    method: str
    path: Filled
    query: Filled
    headers: Filled
    body: Filled
    form: Filled | None
    changes: bool = False
    statuses: Mapping[int, Meaning] = field(default_factory=dict)

    def fill(self, variables: Variables) -> Outbound:
        """Put the values in; a template that yields nothing leaves its key of the query out."""
        query = {key: value for key, value in self.query(variables).items() if value is not None}
        form = None if self.form is None else {k: v for k, v in self.form(variables).items() if v is not None}
        return Outbound(
            method=self.method,
            path=self.path(variables),
            query=query,
            headers=self.headers(variables),
            body=copy.deepcopy(self.body(variables)),
            form=form,
        )


def prepared(
    request: Request, where: str, *, changes: bool = False, statuses: Mapping[int, Meaning] | None = None
) -> Prepared:
    """Compile one request."""
    return Prepared(
        where=where,
        method=request.method,
        path=compiled(request.path, path=True),
        query=compiled(request.query),
        headers=compiled(request.headers),
        body=compiled(request.body),
        form=None if request.form is None else compiled(request.form),
        changes=changes,
        statuses=statuses or {},
    )
