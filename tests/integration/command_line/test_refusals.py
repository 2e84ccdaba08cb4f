"""What a person can mend is said in one sentence, by the command as it is installed; never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.cli.refusals import sentence

REQUEST = "0199c0de-7000-7000-8000-00000000c0de"
NOWHERE = "127.0.0.1:9"
NO_DATABASE = f"postgresql://postgres@{NOWHERE}/postgres"


def habeas(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HABEAS_")}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "deploy.cli.main", *words],
        env={**kept, "HABEAS_HOME": str(home), "HABEAS_KAFKA_BOOTSTRAP": NOWHERE, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (("topics", "apply"), {}, f"Kafka does not answer at {NOWHERE}"),
        (("events", "show", REQUEST), {}, f"Kafka does not answer at {NOWHERE}"),
        (("migrate",), {"HABEAS_KAFKA_BOOTSTRAP": ""}, "does not run"),
        (("migrate",), {"HABEAS_DATABASE_URL": NO_DATABASE}, "A server does not answer"),
        (("topics", "apply"), {"HABEAS_PORT": "eighty"}, "A setting is wrong (port:"),
    ],
    ids=["no broker", "no broker to read", "no stack", "no database", "a wrong setting"],
)
def test_a_missing_server_or_a_wrong_setting_is_one_sentence(
    words: tuple[str, ...], settings: dict[str, str], said: str, tmp_path: Path
) -> None:
    answer = habeas(tmp_path / "home", *words, **settings)

    assert answer.returncode == 1
    assert said in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1, answer.stderr


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    assert sentence(ZeroDivisionError()) is None
