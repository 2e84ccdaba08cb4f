"""The lock file: every jar named, none taken that is not exactly the named one."""

import hashlib
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.errors import StackError

CONTENT = b"a jar"


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of one jar, which the local Maven repository holds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    held = tmp_path / "repository" / "org" / "apache" / "kafka" / "kafka_2.13" / "4.1.9"
    held.mkdir(parents=True)
    (held / "kafka_2.13-4.1.9.jar").write_bytes(CONTENT)
    path = tmp_path / "jars.lock"
    digest = hashlib.sha256(CONTENT).hexdigest()
    path.write_text(f"# a comment\nkafka_2.13-4.1.9.jar org.apache.kafka:kafka_2.13:4.1.9 {digest} 5\n")
    return path


def test_every_locked_jar_has_a_name_a_coordinate_a_digest_and_a_size() -> None:
    locked = jars.locked()

    assert jars.kafka_version(locked) >= "4.1"
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked)
    assert all(jar.name == f"{jar.artifact}-{jar.version}.jar" for jar in locked)
    assert {"log4j-core", "log4j-slf4j-impl"} <= {jar.artifact for jar in locked}


def test_the_lock_file_names_no_host() -> None:
    assert "://" not in jars.LOCK.read_text()


def test_a_jar_is_taken_from_the_local_maven_repository(lock: Path) -> None:
    folder = jars.folder(print, lock)

    assert (folder / "kafka_2.13-4.1.9.jar").read_bytes() == CONTENT


def test_a_tampered_jar_is_refused_and_the_remedy_named(lock: Path) -> None:
    folder = jars.folder(print, lock)
    (folder / "kafka_2.13-4.1.9.jar").write_bytes(b"another jar")

    with pytest.raises(StackError, match=r"SHA-256 differs.*delete the folder"):
        jars.folder(print, lock)


def test_a_missing_jar_is_named(lock: Path) -> None:
    folder = jars.folder(print, lock)
    (folder / "kafka_2.13-4.1.9.jar").unlink()

    with pytest.raises(StackError, match=r"kafka_2\.13-4\.1\.9\.jar is missing; delete the folder"):
        jars.folder(print, lock)


def test_a_download_that_is_not_the_locked_jar_leaves_nothing_behind(
    lock: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def wrong(wanted: list[jars.Jar], into: Path, _report: object) -> None:
        (into / wanted[0].name).write_bytes(b"a sign-in page")

    monkeypatch.setattr("deploy.local.jar_download.gather", wrong)

    with pytest.raises(StackError, match="look at the mirror or proxy"):
        jars.folder(print, lock)
    assert not list((tmp_path / "cache" / "habeas").glob("*4.1.9*"))
