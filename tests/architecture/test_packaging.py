"""The distribution: builds without a download, holds every data file, pinned by hash."""

import os
import re
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.support.sources import CODE, ROOT, tracked

REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built by the pinned backend with every door to the network shut."""
    folder = tmp_path_factory.mktemp("wheel")
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}
    subprocess.run(  # noqa: S603 - the backend of our own environment
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        env={**os.environ, **nowhere},
        check=True,
        capture_output=True,
    )
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(one for one in wheel.namelist() if one.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_every_file_that_git_keeps_of_the_code(wheel: zipfile.ZipFile) -> None:
    kept = {path.as_posix() for path in tracked() if path.parts[0] in CODE}

    assert kept - set(wheel.namelist()) == set()


def test_the_wheel_holds_law_tables_migrations_and_type_markers(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()

    for needed in (
        "shared/policy/us-ca-ccpa.yaml",
        "shared/policy/calendars/us-ca.yaml",
        "deploy/migrations/kernel.sql",
        "deploy/local/kafka-jars.lock",
        "services/py.typed",
    ):
        assert needed in names


def test_the_wheel_holds_nothing_but_the_code(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(CODE)


def test_the_distribution_cannot_be_uploaded_by_mistake(wheel: zipfile.ZipFile) -> None:
    assert "Private :: Do Not Upload" in metadata(wheel).get_all("Classifier", [])
    assert metadata(wheel)["Requires-Python"] == ">=3.11"


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.name)
def test_every_requirement_is_pinned_with_hashes_and_names_no_index(file: Path) -> None:
    text = file.read_text("utf-8")

    for entry in entries(text):
        assert re.match(r"^[a-z0-9._-]+(\[[a-z0-9,-]+\])?==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"^\s*(-i|--(extra-)?index-url|--find-links|-f)\b|://", text, re.MULTILINE)


def test_what_runs_is_what_was_tested() -> None:
    run, dev = (pins((ROOT / "requirements" / name).read_text("utf-8")) for name in ("run.txt", "dev.txt"))

    assert run - dev == set()


def test_every_dependency_of_the_project_is_in_the_requirements(wheel: zipfile.ZipFile) -> None:
    needed = {re.split(r"[^A-Za-z0-9._-]", one)[0] for one in metadata(wheel).get_all("Requires-Dist", [])}

    pinned = {pin.split("==")[0] for pin in pins((ROOT / "requirements/dev.txt").read_text("utf-8"))}

    assert needed - pinned - {"habeas"} == set()


def entries(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.strip().startswith("#")]
    return [entry for entry in re.split(r"\n(?=\S)", "\n".join(lines)) if entry.strip()]


def pins(text: str) -> set[str]:
    return {re.sub(r"\[[^\]]*\]", "", entry.split()[0]) for entry in entries(text)}
