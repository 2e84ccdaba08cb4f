"""The base of every event and command, and the decorator that declares one.

A type has a name chosen by us (never a class path), a version, one topic and, for commands, the sources that may
send it. Unknown fields are refused, and validation errors never repeat the input: it may be a person's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from shared.events.topics import Topic


class Body(BaseModel):
    """What an event or a command says; the envelope around it is `shared.events.envelope`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    declared: ClassVar["Declaration"]

    def kept(self) -> Self:
        """What may lie in a table while the record waits for its turn; the same body unless it says otherwise."""
        return self

    def upcast(self) -> "Body":
        """The same in the next version; only a version that another one replaced says otherwise."""
        return self


class Event(Body):
    """A fact, in the past tense, stated by the one writer of its topic."""


class Command(Body):
    """Somebody asks a service to do something; the service answers CommandAccepted or CommandRefused."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What the catalogue knows of one type: `ce_type` is `name.vN`."""

    name: str
    version: int
    topic: Topic
    model: type[Body]
    sources: frozenset[str] = frozenset()
    signed: bool = False

    @property
    def ce_type(self) -> str:
        return f"{self.name}.v{self.version}"


CATALOGUE: dict[str, Declaration] = {}

B = TypeVar("B", bound=Body)


def event(name: str, *, version: int, topic: Topic) -> Callable[[type[B]], type[B]]:
    """Declare an event type; a second declaration under the same name and version is an error."""

    def declare(model: type[B]) -> type[B]:
        return _register(model, Declaration(name, version, topic, model))

    return declare


def command(
    name: str, *, version: int, topic: Topic, sources: frozenset[str], signed: bool = False
) -> Callable[[type[B]], type[B]]:
    """Declare a command type with the sources that may send it; `signed` asks for a person's signature."""

    def declare(model: type[B]) -> type[B]:
        return _register(model, Declaration(name, version, topic, model, sources, signed))

    return declare


def _register(model: type[B], declaration: Declaration) -> type[B]:
    if declaration.ce_type in CATALOGUE:
        message = f"{declaration.ce_type} is declared twice"
        raise ValueError(message)
    if not model.__doc__:
        message = f"{declaration.ce_type} needs a docstring: it becomes the reference"
        raise ValueError(message)
    model.declared = declaration
    CATALOGUE[declaration.ce_type] = declaration
    return model
