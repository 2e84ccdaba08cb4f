"""Fetching the locked jars: from the local Maven repository, else by jgo, else by mvn with its own settings.

Exactly the locked coordinates are fetched, without their dependencies; nothing is resolved anew.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from deploy.local.errors import StackError, disk_full
from deploy.local.jars import Jar, digest
from deploy.local.processes import run

AT_ONCE = 4
MVN_MAY_TAKE = 600.0


def gather(jars: Sequence[Jar], into: Path, report: Callable[[str], None]) -> None:
    """Put every jar into the folder; who calls proves them."""
    missing = [jar for jar in jars if not _copied_from(_maven_repository(), jar, into)]
    if not missing:
        return
    size = sum(jar.size for jar in missing) / 1e6
    report(f"Downloading {_what(jars)}: {len(missing)} jars, {size:.0f} MB, once.")
    if shutil.disk_usage(into).free < 2 * sum(jar.size for jar in missing):
        raise disk_full(into.parent)
    try:
        _by_jgo(missing, into)
    except Exception as first:  # jgo and its HTTP library raise many kinds, each meaning: not by this way
        if isinstance(first, OSError) and first.errno == errno.ENOSPC:
            raise disk_full(into.parent) from first
        _by_mvn(missing, into, first)


def _what(jars: Sequence[Jar]) -> str:
    return "Apache Kafka" if any(jar.artifact == "kafka_2.13" for jar in jars) else jars[0].artifact


def _maven_repository() -> Path:
    return Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")


def _copied_from(repository: Path, jar: Jar, into: Path) -> bool:
    path = repository / jar.group.replace(".", "/") / jar.artifact / jar.version / jar.name
    if not path.is_file() or digest(path) != jar.sha256:
        return False
    shutil.copyfile(path, into / jar.name)
    return True


def _by_jgo(jars: Sequence[Jar], into: Path) -> None:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    with _progress(sum(jar.size for jar in jars)) as callback:
        resolver = PythonResolver(progress_callback=callback)
        context = MavenContext(resolver=resolver, repo_cache=into / "repository", local_repos=[], timeout=30)
        context.remote_repos = {**GlobalSettings.load().repositories, **context.remote_repos}
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            for done in [pool.submit(_one, context, jar, into) for jar in jars]:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
    shutil.rmtree(into / "repository")


def _one(context: Any, jar: Jar, into: Path) -> None:
    path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    Path(path).replace(into / jar.name)


@contextmanager
def _progress(
    total: int,
) -> Iterator[Callable[[str, int], AbstractContextManager[Callable[[int], None]]] | None]:
    """A progress bar over all bytes when a person watches; nothing when the output goes to a file."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("Apache Kafka"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("jars", total=total)

        @contextmanager
        def one_file(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
            yield lambda count: bar.advance(task, count)

        yield one_file


def _by_mvn(jars: Sequence[Jar], into: Path, first: Exception) -> None:
    """Maven with the user's settings.xml: its mirrors and proxies hold here."""
    if shutil.which("mvn") is None:
        raise StackError(
            f"Kafka's jars could not be downloaded ({_short(first)}) and there is no mvn to try."
        ) from first
    pom = into / "pom.xml"
    pom.write_text(_pom(jars))
    copy = ["-DexcludeTransitive=true", f"-DoutputDirectory={into}", "dependency:copy-dependencies"]
    done = run(["mvn", "-q", "-B", "-f", pom, *copy], timeout=MVN_MAY_TAKE, env=os.environ)
    pom.unlink()
    if done.returncode != 0:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
        raise StackError(
            f"Kafka's jars could not be downloaded by jgo ({_short(first)}) or by mvn ({said[:200]})."
        )


def _pom(jars: Sequence[Jar]) -> str:
    """A project that depends on every locked coordinate and on none of their dependencies."""
    none = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    wanted = "".join(
        f"<dependency><groupId>{escape(jar.group)}</groupId><artifactId>{escape(jar.artifact)}</artifactId>"
        f"<version>{escape(jar.version)}</version>{none}</dependency>"
        for jar in jars
    )
    name = "<groupId>habeas</groupId><artifactId>jars</artifactId><version>1</version>"
    head = f"<modelVersion>4.0.0</modelVersion>{name}<packaging>pom</packaging>"
    return f"<project>{head}<dependencies>{wanted}</dependencies></project>"


def _short(error: Exception) -> str:
    kind = type(error).__name__
    if "Connect" in kind or "Timeout" in kind or "Proxy" in kind:
        return "no connection to the Maven repository"
    return " ".join(str(error).split())[:160] or kind
