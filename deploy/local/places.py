"""Where things lie: the home of one stack, the caches that stacks share, folders for the account."""

import os
import tempfile
from pathlib import Path

from deploy.local.account import Account
from deploy.local.errors import StackError
from deploy.local.processes import run


def default_home() -> Path:
    """`.habeas` in the current folder, or what HABEAS_HOME says."""
    return Path(os.environ.get("HABEAS_HOME") or ".habeas").absolute()


def user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "habeas"


def prepare_home(home: Path) -> Path:
    """The home and its folders; only what we create gets our modes."""
    own_folder(home, 0o711)
    for name in ("logs", "mail"):
        own_folder(home / name, 0o700)
    return home


def own_folder(path: Path, mode: int, owner: Account | None = None) -> Path:
    """Make the folder if it is missing, with exactly this mode and owner; an existing one stays as it is."""
    if path.is_dir():
        return path
    path.mkdir(parents=True, mode=0o755)
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)
    path.chmod(mode)
    return path


def reachable_by(account: Account, folder: Path) -> bool:
    """Whether the account may pass through the folder; asked of the system, which knows all rights."""
    return run(["/bin/sh", "-c", 'test -x "$0"', folder], timeout=10, account=account).returncode == 0


def shared_cache() -> Path:
    """Root's 0755 cache outside every checkout, readable by the unprivileged account."""
    for place in (Path("/var/cache/habeas"), Path(tempfile.gettempdir()) / "habeas-cache"):
        try:
            own_folder(place, 0o755)
        except OSError:
            continue
        if _only_root_writes(place):
            return place
    raise StackError(
        "Neither /var/cache nor the temporary folder can take PostgreSQL's programs; run as an ordinary user."
    )


def outside_data(home: Path) -> Path:
    """Where root keeps the account's data when the account cannot reach the home."""
    temporary = Path(tempfile.gettempdir()).resolve()
    inside = home.resolve().is_relative_to(temporary)
    place = own_folder(temporary / "habeas-data" if inside else Path("/var/lib/habeas"), 0o711)
    if not _only_root_writes(place):
        raise StackError(f"{place} does not belong to root alone; remove it, or run as an ordinary user.")
    return place


def _only_root_writes(place: Path) -> bool:
    about = place.lstat()
    return place.is_dir() and not place.is_symlink() and about.st_uid == 0 and not about.st_mode & 0o022
