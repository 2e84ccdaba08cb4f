"""PostgreSQL from the wheel's programs behind our own launcher: loopback only, a random password.

`fsync` and `synchronous_commit` are given on the command line, where no ALTER SYSTEM can switch them off.
"""

import os
import secrets
import shutil
from pathlib import Path

from deploy.local.account import Account, unprivileged
from deploy.local.errors import StackError, disk_full
from deploy.local.pieces import Server, log_of
from deploy.local.places import own_folder
from deploy.local.ports import LOOPBACK
from deploy.local.postgres_files import data_folder, programs
from deploy.local.probes import postgres_answers
from deploy.local.processes import Spawned, birth, run, spawn
from deploy.local.state import State, write_private

ADMINISTRATOR = "postgres"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # An error's text, a statement or a key that broke a constraint may hold a person's data; the log must not.
    # Whoever sent the statement is told all of it; here the server speaks of itself alone.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def url(home: Path, port: int) -> str:
    """The administrator's address, with the password from its 0600 file."""
    password = _password_file(home).read_text().strip()
    return f"postgresql://{ADMINISTRATOR}:{password}@{LOOPBACK}:{port}/postgres"


def server(state: State) -> Server:
    """PostgreSQL on the port that the state names; its first start makes the data folder."""
    log = log_of(state.home, "postgres")
    port = state.ports["postgres"]
    return Server(
        name="postgres",
        title="PostgreSQL",
        log=log,
        launch=lambda: _launch(state.home, port, log),
        ready=lambda: postgres_answers(url(state.home, port)),
    )


def _launch(home: Path, port: int, log: Path) -> Spawned:
    account = unprivileged()
    binaries = programs(account)
    folder = data_folder(home, account)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _initialise(home, binaries, folder, account)
    _forget_foreign_pid(data)
    settings = {**SETTINGS, "port": str(port)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return spawn([binaries / "postgres", "-D", data, *options], log=log, account=account)


def _initialise(home: Path, binaries: Path, folder: Path, account: Account | None) -> None:
    """Beside the final place, then renamed: an interrupted initdb leaves nothing half made."""
    fresh, secret = folder / "data.new", folder / "password.new"
    shutil.rmtree(fresh, ignore_errors=True)
    own_folder(fresh, 0o700, account)
    password = secrets.token_urlsafe(24)
    write_private(secret, password)
    if account is not None:
        os.chown(secret, account.uid, account.gid)
    _initdb(binaries, fresh, secret, account)
    write_private(_password_file(home), password + "\n")
    secret.unlink()
    fresh.rename(folder / "data")


def _initdb(binaries: Path, fresh: Path, secret: Path, account: Account | None) -> None:
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "-E", "UTF8"]
    access = ["-A", "scram-sha-256", "-U", ADMINISTRATOR, f"--pwfile={secret}"]
    done = run([binaries / "initdb", "-D", fresh, *locale, *access], timeout=120, account=account)
    if done.returncode == 0:
        return
    if "No space left on device" in done.stderr:
        raise disk_full(fresh)
    words = (done.stderr.strip() or "nothing").splitlines()[-1]
    raise StackError(f"PostgreSQL could not make its data folder {fresh}: {words}")


def _forget_foreign_pid(data: Path) -> None:
    """A postmaster.pid whose pid is now another program's would keep PostgreSQL from starting for ever."""
    path = data / "postmaster.pid"
    if not path.exists():
        return
    pid = int(path.read_text().split()[0])
    about = Path(f"/proc/{pid}/cmdline")
    if birth(pid) is not None and about.exists() and b"postgres" not in about.read_bytes():
        path.unlink()


def _password_file(home: Path) -> Path:
    return home / "postgres.password"
