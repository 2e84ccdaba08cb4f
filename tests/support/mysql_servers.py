"""A real MariaDB or MySQL for `make stores`: Debian's packages, unpacked into the cache.

Nothing is installed and no other server is touched: it has a data folder and a port of its own, and ends with them.
MySQL is in Debian's unstable release alone; its package comes with the libraries that it needs, and runs with those.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from deploy.local.places import own_folder, user_cache
from tests.support.eventually import eventually

PASSWORD = "made-up-for-tests"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
OWNER = f"""\
CREATE USER IF NOT EXISTS owner@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';
GRANT ALL ON *.* TO owner@'127.0.0.1' WITH GRANT OPTION;
"""


@dataclass(frozen=True)
class Server:
    """Which packages bring it, from which release, and its program."""

    packages: str
    program: str
    release: str = ""
    loader: str = ""


SERVERS = {
    "mariadb": Server("mariadb-server-core mariadb-server libaio1 liburing2 libnuma1", "mariadbd"),
    "mysql": Server(
        "mysql-server-core libaio1t64 libc6 libcurl4t64 libfido2-1 libgcc-s1 libgoogle-perftools4t64"
        " libtcmalloc-minimal4t64 libicu78 liblz4-1 liblzma5 libmecab2 libnuma1 libprotobuf-lite32t64"
        " libprotobuf32t64 libssl3t64 libstdc++6 libtirpc3t64 libunwind8 libxxhash0 libzstd1 zlib1g",
        "mysqld",
        release="sid",
        loader=f"{LIBRARIES}/ld-linux-x86-64.so.2",
    ),
}


@contextmanager
def mysql_server(kind: str, home: Path) -> Iterator[sa.URL]:
    """Start one, give its owner's address, and end it."""
    command = _command(SERVERS[kind], home)
    _fill(kind, command, home)
    (home / "owner.sql").write_text(OWNER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = [f"--port={port}", "--bind-address=127.0.0.1", f"--init-file={home}/owner.sql"]
    where += ["--mysqlx=OFF", "--secure-file-priv=NULL"] if kind == "mysql" else []
    with (
        (home / "server.log").open("wb") as log,
        subprocess.Popen([*command, *where], stdout=log, stderr=log, env=_env(kind)) as process,  # noqa: S603 - ours
    ):
        try:
            eventually(lambda: _answers(port) or process.poll() is not None, within=90)
            assert process.poll() is None, (home / "server.log").read_text()
            yield sa.URL.create("mysql+asyncmy", "owner", PASSWORD, "127.0.0.1", port, "mysql")
        finally:
            process.terminate()


def _command(server: Server, home: Path) -> list[str]:
    root = _programs(server)
    me = ["--user=root"] if os.geteuid() == 0 else []
    ours = [f"--datadir={home}/data", f"--lc-messages-dir={root}/usr/share/mysql", f"--socket={home}/socket"]
    loaded = [f"{root}/{server.loader}", "--library-path", f"{root}/{LIBRARIES}"] if server.loader else []
    small = ["--innodb-buffer-pool-size=64M", "--skip-name-resolve"]
    return [*loaded, f"{root}/usr/sbin/{server.program}", "--no-defaults", *me, *ours, *small]


def _programs(server: Server) -> Path:
    """The root under which usr/sbin lies."""
    place = own_folder(user_cache(), 0o755) / f"{server.program}-of-debian"
    if not place.is_dir():
        _fetch(server, place)
    return place


def _fetch(server: Server, place: Path) -> None:
    """Gathered beside, then renamed: the folder exists whole or not at all."""
    part = Path(tempfile.mkdtemp(prefix="gathering-", dir=place.parent))
    try:
        release = _release(part, server.release) if server.release else []
        apt = ["apt-get", "-qq", "-o", "APT::Sandbox::User=", *release]
        if release:
            subprocess.run([*apt, "update"], cwd=part, check=True)  # noqa: S603 - fixed words
        subprocess.run([*apt, "download", *server.packages.split()], cwd=part, check=True)  # noqa: S603 - fixed words
        for package in part.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, part / "root"], check=True)  # noqa: S603, S607 - what apt-get proved
        (part / "root").rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _release(part: Path, release: str) -> list[str]:
    """Options by which apt-get knows of this release alone, and of nothing that is installed here."""
    (part / "lists" / "partial").mkdir(parents=True)
    (part / "archives" / "partial").mkdir(parents=True)
    (part / "sources.list").write_text(f"deb {_mirror()} {release} main\n")
    said = {
        "Dir::Etc::SourceList": part / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::lists": part / "lists",
        "Dir::Cache": part,
    }
    return [word for name, value in said.items() for word in ("-o", f"{name}={value}")]


def _mirror() -> str:
    """Where this machine has its packages from; the mirror of security fixes alone has not all of them."""
    asked = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Component: main"]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603 - fixed words
    return next(site for site in told if "security" not in site)


def _fill(kind: str, command: list[str], home: Path) -> None:
    """A new data folder with the server's own tables."""
    options, script = ["--initialize-insecure"], ""
    if kind == "mariadb":
        share = _programs(SERVERS[kind]) / "usr/share/mysql"
        names = ("mysql_system_tables", "mysql_performance_tables", "mysql_system_tables_data")
        (home / "data").mkdir()
        options, script = ["--bootstrap"], "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
        script += "\n".join((share / f"{name}.sql").read_text() for name in names)
    subprocess.run(  # noqa: S603 - ours
        [*command, *options], input=script.encode(), check=True, capture_output=True, env=_env(kind)
    )


def _env(kind: str) -> dict[str, str]:
    """Without a loader of its own a program is told where its libraries lie."""
    server = SERVERS[kind]
    own = {} if server.loader else {"LD_LIBRARY_PATH": f"{_programs(server)}/{LIBRARIES}"}
    return {**os.environ, **own}


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0
