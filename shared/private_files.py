"""Key files: written so that nobody else can read them, refused where somebody else could have.

The rule is PostgreSQL's: a file of ours may be read by us alone; a file of root's, mounted by a platform,
also by our group.
"""

import os
import stat
import tempfile
from pathlib import Path


class KeyFileRefused(Exception):
    """A key file is missing, unreadable or open to others; the sentence says what to do."""


def read_private(path: Path) -> bytes:
    """The file's bytes, if nobody else can read or write it."""
    try:
        with path.open("rb") as file:
            _check_mode(path, os.fstat(file.fileno()))
            return file.read()
    except FileNotFoundError:
        raise KeyFileRefused(f"{path} is missing; make the keys with: habeas keys init") from None
    except PermissionError:
        raise KeyFileRefused(f"{path} cannot be read by this account; give it to the account") from None


def write_private(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put the file in place whole, or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _check_mode(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    mounted_by_root = found.st_uid == 0 and os.geteuid() != 0
    forbidden = 0o037 if mounted_by_root else 0o077
    if mode & forbidden:
        raise KeyFileRefused(f"{path} is open to others (mode {mode:04o}); close it with: chmod 600 {path}")
