"""docs/reference/events.md: every event and command with its meaning, its fields, who states it and who listens."""

from collections.abc import Iterator, Mapping
from typing import Any

from deploy.generation.contracts import NOTE, carried_by, json_schema, meaning, senders
from deploy.generation.field_types import words
from shared.events.message import Declaration
from shared.events.topics import DECLARED, Topic

HEAD = f"""\
{NOTE}
# Events and commands

An event is a fact in the past tense, stated by the one writer of its topic. A command asks one service for
something; the service answers with its `command-accepted` or `command-refused`. The envelope around every body is
CloudEvents 1.0 in Kafka's binary mode; [topics.md](topics.md) says how long each topic is kept. *Sealed text* is
authenticated encryption under the request's own key. JSON Schemas and AsyncAPI lie in `deploy/schemas/`.
"""


def render() -> str:
    """The page."""
    return "\n".join([HEAD, *(line for topic in DECLARED for line in _topic(topic))])


def _topic(topic: Topic) -> Iterator[str]:
    carried = carried_by(topic)
    if not carried:
        return
    yield f"## {topic.name}\n"
    yield f"{_names(topic.writers)} → {_names(topic.readers)}\n"
    for declaration in carried:
        yield from _type(declaration)


def _type(declaration: Declaration) -> Iterator[str]:
    yield f"### {declaration.ce_type}\n"
    yield f"**{declaration.model.__name__}.** {meaning(declaration)}\n"
    if declaration.sources:
        signed = ", signed by the person who decides" if declaration.signed else ""
        yield f"Sent by {', '.join(f'`{one}`' for one in senders(declaration))}{signed}.\n"
    yield from _fields(json_schema(declaration))


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | what | note |"
    yield "|---|---|---|"
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        note = field.get("description", "") or ("" if name in required else "optional")
        yield f"| `{name}` | {words(field)} | {note} |"
    yield ""
    for name, part in schema.get("$defs", {}).items():
        if "properties" in part:
            inner = ", ".join(f"`{field}` {words(kind)}" for field, kind in part["properties"].items())
            yield f"{name}: {inner}.\n"
        elif "enum" in part:
            yield f"{name}: {words(part)}.\n"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names)
