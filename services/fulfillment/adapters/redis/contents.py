"""What stands under a key, as a document: a hash's fields, a JSON text's members, or the values of a set or list."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from redis.asyncio import Redis

Form: TypeAlias = Literal["hash", "json", "text", "set", "zset", "list"]
Document: TypeAlias = Mapping[str, Any]

VALUE = "value"
VALUES = "members"


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """One key's."""

    form: Form
    document: Document


async def read(client: Redis, keys: Sequence[str]) -> dict[str, Content]:
    """The contents of the keys that are there; what is none of a row (a stream, a module's own) is left out."""
    asked: Any
    async with client.pipeline(transaction=False) as asked:
        for key in keys:
            asked.type(key)
        types = await asked.execute()
    kinds = {key: kind for key, kind in zip(keys, types, strict=True) if kind in _COMMANDS}
    async with client.pipeline(transaction=False) as asked:
        for key, kind in kinds.items():
            _COMMANDS[kind](asked, key)
        found = await asked.execute(raise_on_error=False)
    said = zip(kinds.items(), found, strict=True)
    return {key: _content(kind, raw) for (key, kind), raw in said if _is_there(raw)}


def write(asked: Any, key: str, content: Content, after: Mapping[str, Any]) -> None:
    """Put these outermost values in the place of others; when a key ends by itself stays as it is."""
    if content.form == "hash":
        for name, value in after.items():
            if value is None:
                asked.hdel(key, name)
            else:
                asked.hset(key, name, _text(value))
    else:
        whole = {**content.document, **after}
        text = _text(whole[VALUE]) if content.form == "text" else json.dumps(whole, ensure_ascii=False)
        asked.set(key, text, keepttl=True)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_there(raw: Any) -> bool:
    """A key that ended, or became something else, between the two questions is not."""
    return not isinstance(raw, Exception) and raw not in (None, {}, [])


def _content(kind: str, raw: Any) -> Content:
    match kind:
        case "hash":
            return Content("hash", raw)
        case "string":
            return _of_text(raw)
        case "set":
            return Content("set", {VALUES: sorted(raw)})
    return Content("zset" if kind == "zset" else "list", {VALUES: list(raw)})


def _of_text(raw: str) -> Content:
    try:
        found = json.loads(raw)
    except ValueError:
        found = None
    return Content("json", found) if isinstance(found, dict) else Content("text", {VALUE: raw})


_COMMANDS: dict[str, Any] = {
    "hash": lambda asked, key: asked.hgetall(key),
    "string": lambda asked, key: asked.get(key),
    "set": lambda asked, key: asked.smembers(key),
    "zset": lambda asked, key: asked.zrange(key, 0, -1),
    "list": lambda asked, key: asked.lrange(key, 0, -1),
}
