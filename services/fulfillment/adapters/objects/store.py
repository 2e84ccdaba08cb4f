"""Where files are kept: what a folder and an object store have in common."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from services.fulfillment.adapters.objects.failures import Failure


@dataclass(frozen=True, slots=True, repr=False)
class Stored:
    """One state of one file: its name below the system's place, and what tells this state from every other."""

    name: str
    version: str
    current: bool = True
    etag: str = ""


class Changes(Protocol):
    """Changes that are prepared one by one and then made together; nothing is changed before `commit`."""

    begun: bool
    """Whether anything may have been changed."""

    stopped: bool
    """Set by whoever does not wait any longer: nothing is begun after that."""

    def stage(self, stored: Stored) -> AbstractContextManager[BinaryIO]:
        """A place for what a file will hold."""
        ...

    def remove(self, stored: Stored) -> None:
        """Take a state away when the changes are made."""
        ...

    def commit(self) -> None:
        """Put what was staged in the files' place and take away what it replaces.

        Raises:
            Failure: a file was changed by somebody else meanwhile, or cannot be changed.
        """
        ...


def refuse_stopped(changes: Changes) -> None:
    """Go no further for somebody who has gone."""
    if changes.stopped:
        raise Failure("busy", "there was no time left to begin")


class Store(Protocol):
    """A folder or a bucket."""

    def states(self) -> Sequence[Stored]:
        """Every readable state of every file, the current ones first.

        Raises:
            Failure: it cannot be reached, or does not let us in.
        """
        ...

    def open(self, stored: Stored) -> AbstractContextManager[BinaryIO]:
        """One state's bytes, to be read from anywhere.

        Raises:
            Failure: it is not there any more (`moved`), or cannot be read.
        """
        ...

    def leftovers(self) -> int:
        """What an attempt that died has left behind, and nobody is working on.

        Raises:
            Failure: something lies there, and whose it is cannot be told.
        """
        ...

    def changing(self) -> AbstractContextManager[Changes]:
        """Begin changes, alone among all of us; what an earlier attempt left behind is removed first.

        Raises:
            Failure: somebody else of us is changing files here (`busy`).
        """
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...
