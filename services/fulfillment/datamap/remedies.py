"""What to do about a key or a name that is wrong: most are misspelt, so the nearest that there is gets named."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, get_args

import yaml
from pydantic import BaseModel


def instead(name: str, known: Collection[str], what: str = "known here") -> str:
    """The nearest known name as a question, else all of them."""
    near = get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"{what}: {', '.join(sorted(known)) or 'nothing'}"


def worded(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """A validator's error on data of this model, in words that say what to write."""
    *above, last = error["loc"] or ("",)
    holder = model_at(model, above)
    if error["type"] == "extra_forbidden":
        return f"unknown key; {instead(str(last), _keys(holder))}" if holder else "unknown key"
    if error["type"] == "missing":
        return "is missing"
    return str(error["msg"]).removeprefix("Value error, ")


def model_at(model: type[BaseModel], place: Collection[int | str]) -> type[BaseModel] | None:
    """The model whose data stands at a place; names and numbers of entries are stepped over."""
    found: type[BaseModel] | None = model
    for step in place:
        field = found.model_fields.get(str(step)) if found else None
        if field is not None:
            found = _model_in(field.annotation)
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(each) for each in get_args(annotation))
    return next((each for each in inner if each), None)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def first_line(error: yaml.YAMLError) -> str:
    """What is wrong with a file of YAML, and in which line."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark else ""
    return place + (getattr(error, "problem", None) or str(error).splitlines()[0])
