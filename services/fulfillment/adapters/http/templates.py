"""Templates of requests: Jinja in a sandbox, compiled once, with the few filters that vendors make necessary."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

Variables: TypeAlias = Mapping[str, Any]
Filled: TypeAlias = Callable[[Variables], Any]


class UnsafeValueError(ValueError):
    """A value that would lead a path somewhere else; it is not repeated here."""


def _segment(value: Any) -> str:
    """One piece of a path: everything that could end or leave it is encoded or refused."""
    text = str(value)
    if text in {"", ".", ".."}:
        raise UnsafeValueError("a value cannot stand in a path")
    return quote(text, safe="")


def _digest(name: str) -> Callable[[Any], str]:
    return lambda value: hashlib.new(name, str(value).encode(), usedforsecurity=False).hexdigest()


FILTERS: dict[str, Callable[..., Any]] = {
    "sha256": _digest("sha256"),
    # Mailchimp's name for a member is the MD5 of the address: https://mailchimp.com/developer/marketing/docs/methods-parameters/
    "md5": _digest("md5"),
    "soql": lambda value: str(value).replace("\\", "\\\\").replace("'", "\\'"),
    "quoted": lambda value: str(value).replace("\\", "\\\\").replace('"', '\\"'),
    "epoch": lambda value: int(value.timestamp()) if isinstance(value, datetime) else int(value),
    "renamed": lambda changes, **names: {names.get(key, key): value for key, value in changes.items()},
    "iso": lambda value: value.isoformat(),
}


def _environment(**options: Any) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, **options)
    environment.filters.update(FILTERS)
    return environment


def _named(name: str) -> Callable[..., Any]:
    return lambda value: f"{name}({value})"


# A connector is read again by every command and every worker; a template means the same each time.
_remembered = lru_cache(maxsize=1024)

_VALUES = _environment()
_PATHS = _environment(finalize=_segment)
_TOLD = _environment()
_TOLD.filters.update({name: _named(name) for name in ("sha256", "md5", "epoch", "iso")})
_TOLD.filters.update(dict.fromkeys(("int", "float", "soql", "quoted"), lambda value, *_: value))


def told(value: Any) -> Filled:
    """The same for people to read: names stand for values, so nothing is encoded, and what is hashed says so."""
    return compiled(value, into=_TOLD)


def compiled(value: Any, *, path: bool = False, into: ImmutableSandboxedEnvironment | None = None) -> Filled:
    """Make a function that fills the template; a text that is one expression alone keeps that expression's type.

    Raises:
        TemplateError: the template is not Jinja, or uses a filter that there is not.
    """
    if isinstance(value, str):
        return _rendered(value, _PATHS) if path and _has_template(value) else _text(value, into or _VALUES)
    if isinstance(value, Mapping):
        inner = {str(key): compiled(each, into=into) for key, each in value.items()}
        return lambda variables: {key: fill(variables) for key, fill in inner.items()}
    if isinstance(value, list | tuple):
        items = [compiled(each, into=into) for each in value]
        return lambda variables: [fill(variables) for fill in items]
    return lambda _: value


def unknown_names(value: Any, known: frozenset[str] | None) -> Iterator[str]:
    """The variables of a template that nothing will fill, and its own mistakes; None knows no bounds."""
    if isinstance(value, str):
        yield from _unknown(value, known)
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for each in inner:
        yield from unknown_names(each, known)


def _unknown(text: str, known: frozenset[str] | None) -> Iterator[str]:
    try:
        compiled(text)
        names = _variables(text)
    except TemplateError as error:
        yield f"not a template: {error.message}"
        return
    if known is not None:
        told = ", ".join(sorted(known))
        yield from (f"unknown variable {name!r}; known here: {told}" for name in sorted(names - known))


@_remembered
def _variables(text: str) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(_VALUES.parse(text)))


def _has_template(value: str) -> bool:
    return "{{" in value or "{%" in value


def _text(value: str, environment: ImmutableSandboxedEnvironment) -> Filled:
    if not _has_template(value):
        return lambda _: value
    alone = value.strip()
    if alone.startswith("{{") and alone.endswith("}}") and "}}" not in alone[:-2] and "{%" not in alone:
        return _evaluated(alone[2:-2], environment)
    return _rendered(value, environment)


@_remembered
def _evaluated(expression: str, environment: ImmutableSandboxedEnvironment) -> Filled:
    found = environment.compile_expression(expression, undefined_to_none=False)
    return lambda variables: found(**variables)


@_remembered
def _rendered(text: str, environment: ImmutableSandboxedEnvironment) -> Filled:
    return environment.from_string(text).render
