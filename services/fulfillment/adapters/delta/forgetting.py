"""Time travel must not bring a person back: old files go, and so does the log that tells what stood in them.

The log keeps the smallest and the largest value of every column of every file, addresses among them. Once a checkpoint
says what the table is, older entries are needed by nobody but who wants to go back.
"""

from collections.abc import Iterator
from pathlib import Path

from deltalake import DeltaTable

LOG = "_delta_log"
_DIGITS = 20


def forget(folder: Path) -> None:
    """Remove the files that the table no longer refers to, and its log before now.

    Files that the log does not know are left: another's commit may be on its way.
    """
    table = DeltaTable(str(folder))
    table.vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    table = DeltaTable(str(folder))
    table.create_checkpoint()
    for entry in _before(folder / LOG, table.version()):
        entry.unlink(missing_ok=True)


def old_files(folder: Path) -> list[Path]:
    """The files that are still there and that the table no longer refers to."""
    table = DeltaTable(str(folder))
    named = table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False)
    return [folder / name for name in named if (folder / name).exists()]


def _before(log: Path, version: int) -> Iterator[Path]:
    """The entries and checkpoints of older versions."""
    for entry in log.iterdir():
        number = entry.name[:_DIGITS]
        if len(number) == _DIGITS and number.isdigit() and int(number) < version:
            yield entry
