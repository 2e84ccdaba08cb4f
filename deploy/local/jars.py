"""Kafka's jars: exactly those of the committed lock file, each proved by its SHA-256 before every start."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.places import own_folder, user_cache
from deploy.local.state import alone

LOCK = Path(__file__).with_name("kafka-jars.lock")


@dataclass(frozen=True)
class Jar:
    """One line of the lock file."""

    name: str
    group: str
    artifact: str
    version: str
    sha256: str
    size: int


def locked(lock: Path = LOCK) -> tuple[Jar, ...]:
    lines = (line.split() for line in lock.read_text().splitlines() if line and not line.startswith("#"))
    return tuple(_jar(line) for line in lines)


def _jar(words: list[str]) -> Jar:
    name, coordinate, sha256, size = words
    group, artifact, version = coordinate.split(":")
    return Jar(name, group, artifact, version, sha256, int(size))


def kafka_version(jars: tuple[Jar, ...]) -> str:
    return next(jar.version for jar in jars if jar.artifact == "kafka_2.13")


def folder(report: Callable[[str], None], lock: Path = LOCK) -> Path:
    """A folder with every jar of the lock file and nothing unproved; downloads them the first time."""
    jars = locked(lock)
    cache = own_folder(user_cache(), 0o755)
    place = cache / f"{_called(jars, lock)}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    with alone(cache / "kafka-jars.lock", report):
        if not place.is_dir():
            _fill(place, jars, report)
    for jar in jars:
        prove(place, jar)
    return place


def _called(jars: tuple[Jar, ...], lock: Path) -> str:
    """What the jars are together: Kafka of a version, or what their lock file is called."""
    kafka = any(jar.artifact == "kafka_2.13" for jar in jars)
    return f"kafka-{kafka_version(jars)}" if kafka else lock.stem


def prove(place: Path, jar: Jar) -> None:
    """Refuse a jar that is not byte for byte the locked one."""
    path = place / jar.name
    if not path.exists():
        raise StackError(f"{path} is missing; delete the folder {place} and run the command again.")
    if digest(path) != jar.sha256:
        raise StackError(
            f"{path} is not the jar that the lock file names (its SHA-256 differs) and is refused; "
            f"delete the folder {place} and run the command again to download it anew."
        )


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fill(place: Path, jars: tuple[Jar, ...], report: Callable[[str], None]) -> None:
    """Gathered and proved beside, then renamed: the folder exists whole or not at all."""
    from deploy.local.jar_download import gather

    part = Path(tempfile.mkdtemp(prefix="gathering-", dir=place.parent))
    try:
        gather(jars, part, report)
        _prove_downloads(part, jars)
        part.chmod(0o755)
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _prove_downloads(part: Path, jars: tuple[Jar, ...]) -> None:
    wrong = [jar.name for jar in jars if digest(part / jar.name) != jar.sha256]
    if wrong:
        raise StackError(
            f"What was downloaded as {wrong[0]} is not the jar that the lock file names (another SHA-256) "
            "and is refused; look at the mirror or proxy between here and the Maven repository."
        )
