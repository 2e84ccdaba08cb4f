"""What the stack says when it cannot do its work: one sentence for a person, with the remedy in it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StackError(Exception):
    """One clear sentence with the remedy."""


class SettingError(StackError):
    """A setting that the user made is wrong; nothing else is tried in its place."""


class PortTakenError(StackError):
    """Another program took the port between our look and the server's bind; a second try gets another one."""


class StillHeldError(StackError):
    """The files of a server that was just killed are still held; a try some moments later succeeds."""


def disk_full(folder: Path) -> StackError:
    return StackError(f"The disk that holds {folder} is full; free some space and run the command again.")


@contextmanager
def said_plainly(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one sentence."""
    try:
        yield
    except OSError as refusal:
        raise _sentence(refusal, folder) from refusal


def _sentence(refusal: OSError, folder: Path) -> StackError:
    where = refusal.filename or folder
    if refusal.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(folder)
    if isinstance(refusal, PermissionError):
        return StackError(
            f"{where} belongs to another user; run as its owner, or set HABEAS_HOME to a folder of your own."
        )
    if refusal.errno == errno.EROFS:
        return StackError(f"{where} cannot be written to; set HABEAS_HOME to a folder that can.")
    return StackError(f"{refusal.strerror or refusal} ({where}); mend that and run the command again.")
