"""The gate itself: nothing executed is no success, and a durability test cannot be skipped where Kafka is required."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.sources import ROOT

PASSES = "def test_passes() -> None: pass\n"
SKIPS = "import pytest\n\ndef test_skips() -> None: pytest.skip('not today')\n"
DURABLE = "import pytest\n\ndef test_keeps() -> None: pytest.skip('needs the real Apache Kafka; these run on light')\n"


def run(folder: Path, *tests: str, **settings: str) -> int:
    for number, text in enumerate(tests):
        (folder / f"test_{number}.py").write_text(text)
    options = [
        "-q",
        "-p",
        "tests.support.gate",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        f"--rootdir={folder}",
    ]
    free = {name: value for name, value in os.environ.items() if name != "HABEAS_REQUIRE_KAFKA"}
    outcome = subprocess.run(  # noqa: S603 - our own Python
        [sys.executable, "-m", "pytest", *options, str(folder)],
        cwd=ROOT,
        env={**free, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **settings},
        capture_output=True,
        check=False,
    )
    return outcome.returncode


def test_a_run_that_executes_nothing_is_no_success(tmp_path: Path) -> None:
    assert run(tmp_path, SKIPS) == 5


def test_an_ordinary_skip_beside_a_passing_test_is_a_success(tmp_path: Path) -> None:
    assert run(tmp_path, PASSES, SKIPS, HABEAS_REQUIRE_KAFKA="1") == 0


def test_a_durability_test_may_be_skipped_unless_kafka_is_required(tmp_path: Path) -> None:
    assert run(tmp_path, PASSES, DURABLE) == 0
    assert run(tmp_path, PASSES, DURABLE, HABEAS_REQUIRE_KAFKA="1") == 1
