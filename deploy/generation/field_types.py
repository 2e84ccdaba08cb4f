"""A field's JSON Schema in a few words, for tables that people read."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def words(schema: Schema) -> str:
    """What may stand in a field."""
    if schema.get("x-habeas-sealed"):
        return "sealed text"
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", maxsplit=1)[-1]
    if "anyOf" in schema:
        return " or ".join(words(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " · ".join(f"`{one}`" for one in schema["enum"])
    return _plain(schema)


def _plain(schema: Schema) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"list of {words(items)}" if items else "list"
    return str(schema.get("format") or schema.get("type") or "any")
