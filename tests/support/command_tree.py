"""Every command that a command line offers, with its groups in front."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Command:
    """One command: the words that one types after the program's name, what its help says, and its options."""

    words: str
    help: str
    options: frozenset[str]


def every_command(app: typer.Typer) -> list[Command]:
    """The commands at the ends of the tree."""
    return list(_below(typer.main.get_command(app), ""))


def _below(command: Any, words: str) -> Iterator[Command]:
    if not isinstance(command, TyperGroup):
        options = frozenset(name for parameter in command.params for name in parameter.opts)
        yield Command(words, f"{command.help}\n{command.epilog or ''}", options)
        return
    for name, inner in command.commands.items():
        yield from _below(inner, f"{words} {name}".strip())
