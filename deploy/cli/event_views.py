"""How `habeas events` prints types and records; a sealed field shows its size only."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from uuid import UUID

import typer

from deploy.cli.moments import moment
from deploy.generation.contracts import declarations, json_schema, meaning, senders
from deploy.generation.field_types import words
from shared.events.catalogue import UnknownType, declaration
from shared.events.envelope import Record, Unreadable
from shared.events.message import Body, Declaration

WIDEST = 160


def print_catalogue(*, as_json: bool) -> None:
    """Every declared type."""
    if as_json:
        typer.echo(json.dumps([_facts(one) for one in declarations()]))
        return
    for one in declarations():
        typer.echo(f"{one.ce_type:42} {one.topic.name:28} {meaning(one).splitlines()[0]}")


def print_schema(ce_type: str, *, indented: bool) -> None:
    """One type's JSON Schema; exit 2 if there is no such type."""
    try:
        found = declaration(ce_type)
    except UnknownType:
        near = get_close_matches(ce_type, [one.ce_type for one in declarations()], n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "`habeas events list` names them all."
        typer.echo(f"{ce_type}: no such event or command; {hint}", err=True)
        raise typer.Exit(2) from None
    typer.echo(json.dumps(json_schema(found), indent=2 if indented else None, ensure_ascii=False))


def print_history(request_id: UUID, found: Sequence[Record | Unreadable], *, as_json: bool) -> None:
    """What was stated about a request; exit 1 if nothing was."""
    if as_json:
        typer.echo(json.dumps([_entry(one) for one in found]))
    elif found:
        for one in found:
            typer.echo("\n".join(_lines(one)))
    else:
        typer.echo(f"The topics hold nothing about request {request_id}.", err=True)
    if not found:
        raise typer.Exit(1)


def visible(body: Body) -> dict[str, Any]:
    """A body's fields, with the size of what is sealed in its place."""
    properties = type(body).model_json_schema()["properties"]
    fields = body.model_dump(mode="json", exclude_none=True)
    return {name: _unless_sealed(properties[name], value) for name, value in fields.items()}


def _unless_sealed(schema: Mapping[str, Any], value: Any) -> Any:
    if "sealed text" not in words(schema):
        return value
    return f"(sealed, {len(value) * 3 // 4} bytes)"


def _facts(one: Declaration) -> dict[str, Any]:
    return {
        "type": one.ce_type,
        "kind": one.topic.kind,
        "topic": one.topic.name,
        "senders": senders(one),
        "readers": one.topic.readers,
        "signed": one.signed,
        "meaning": meaning(one),
    }


def _entry(one: Record | Unreadable) -> dict[str, Any]:
    place = {"topic": one.raw.topic, "partition": one.raw.partition, "offset": one.raw.offset}
    if isinstance(one, Unreadable):
        return {**place, "unreadable": one.reason, "field": one.field}
    head = one.envelope
    return {
        **place,
        "id": str(head.id),
        "type": head.ce_type,
        "source": head.source,
        "time": head.time.isoformat(),
        "sequence": head.sequence,
        "body": visible(one.body),
    }


def _lines(one: Record | Unreadable) -> list[str]:
    if isinstance(one, Unreadable):
        return [f"unreadable: {one.reason} ({one.raw.topic}/{one.raw.partition}/{one.raw.offset})"]
    head = one.envelope
    title = f"{moment(head.time)}  {head.source:20} {type(one.body).__name__}"
    where = f"  [{one.raw.topic} #{head.sequence}]" if head.sequence else f"  [{one.raw.topic}]"
    return [title + where, *(f"    {name}: {_short(value)}" for name, value in visible(one.body).items())]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= WIDEST else f"{text[:WIDEST]}…"
