"""Time travel must not bring a person back: old files go, and so does the log that tells what stood in them.

The log keeps the smallest and the largest value of every column of every file, addresses among them. Once a checkpoint
says what the table is, older entries are needed by nobody but who wants to go back.
"""

from collections.abc import Iterator
from typing import BinaryIO

from services.fulfillment.adapters.delta.places import Files

_DIGITS = 20


def forget(files: Files) -> None:
    """Remove the files that the table no longer refers to, and its log before now.

    Files that the log does not know are left: another's commit may be on its way.
    """
    table = files.open()
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    table = files.open()
    table.create_checkpoint()
    files.remove_log([name for name in files.log() if _is_before(name, table.version())])
    files.forget_versions()


def old_files(files: Files) -> Iterator[BinaryIO]:
    """What can still be read of files that the table no longer refers to."""
    table = files.open()
    return files.replaced(table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False))


def _is_before(name: str, version: int) -> bool:
    """An entry or a checkpoint of an older version."""
    number = name[:_DIGITS]
    return len(number) == _DIGITS and number.isdigit() and int(number) < version
