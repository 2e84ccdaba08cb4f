"""The systems that are described, for commands that tell of them: a wrong file keeps no other from being told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from services.fulfillment.datamap.systems import System

OF_OTHERS = "Files of other systems are wrong: habeas systems check says what is."
UNUSABLE = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Described:
    """Which systems were asked about, and every one that can be read, with its map and without its adapter."""

    chosen: "tuple[System, ...]"
    every: "tuple[System, ...]"


@contextmanager
def described(name: str | None) -> "Iterator[Described]":
    """What can be read, for what is told within; after it what is wrong with the rest.

    Exit code 3 after it where all were asked about and one is wrong, and at once where that one was named, or where a
    map turns out within to be wrong for the system's kind.
    """
    every, problems = _read()
    chosen = chosen_of({each.system: each for each in every}, name, problems)
    with _said_plainly():
        yield Described(chosen, every)
    tell_what_is_wrong(name, problems)


def whole() -> "tuple[System, ...]":
    """Every system, for what would be untrue without one of them; exit code 3 if a file is wrong."""
    every, problems = _read()
    tell_what_is_wrong(None, problems)
    return every


def _read() -> "tuple[tuple[System, ...], tuple[str, ...]]":
    from services.fulfillment.datamap.folder import read_systems
    from services.fulfillment.settings import FulfillmentSettings
    from shared.settings import Settings

    return read_systems(FulfillmentSettings().systems, home=Settings().home)


def chosen_of(every: Mapping[str, T], name: str | None, problems: tuple[str, ...]) -> tuple[T, ...]:
    """The one that was named, or all; a name that is not there may be that of a file that is wrong."""
    if name is None:
        return tuple(every.values())
    if name in every:
        return (every[name],)
    if problems:
        there = ", ".join(every) or "none"
        typer.echo("\n".join((*problems, f"system: no {name} can be used; these can: {there}")), err=True)
        raise typer.Exit(UNUSABLE)
    return refuse(f"system: there is no {name}; known: {', '.join(every)}")


def tell_what_is_wrong(name: str | None, problems: tuple[str, ...]) -> None:
    """All of it with exit code 3 where all were asked about; to who asked about one, that something is."""
    if not problems:
        return
    typer.echo("\n".join(problems if name is None else (OF_OTHERS,)), err=True)
    if name is None:
        raise typer.Exit(UNUSABLE)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """What is wrong with a system file or its map, and exit code 3 instead of a traceback."""
    from services.fulfillment.datamap.model import MapError

    try:
        yield
    except MapError as error:
        typer.echo("\n".join(error.problems), err=True)
        raise typer.Exit(UNUSABLE) from None


def refuse(reason: str) -> NoReturn:
    """Say what is wrong with what was asked."""
    typer.echo(reason, err=True)
    raise typer.Exit(2)
