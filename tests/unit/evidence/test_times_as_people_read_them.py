"""`habeas evidence` tells people times as the other commands do: to the second, in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.bundles.checking import Checked
from deploy.cli.bundle_views import show_checked
from deploy.cli.main import app
from deploy.cli.moments import moment
from shared.evidence import build_payload, sign_certificate
from shared.keyfiles import KeyFiles, init_keys
from tests.support.certificates import RECEIVED, a_certificate

LATER = RECEIVED + timedelta(days=3, microseconds=123456)


def test_a_certificate_is_shown_with_times_to_the_second_in_utc(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys")
    payload = build_payload(a_certificate(closed_at=LATER))
    file = tmp_path / "certificate.jws"
    file.write_text(sign_certificate(payload, KeyFiles(tmp_path / "keys").evidence()))

    shown = CliRunner().invoke(app, ["evidence", "verify", str(file), "--home", str(tmp_path)])

    assert shown.exit_code == 0, shown.output
    assert "Received 2026-01-15 18:00:00 UTC, closed 2026-01-18 18:00:00 UTC as partial" in shown.stdout


def test_a_bundle_is_told_with_its_time_to_the_second_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    show_checked(
        Checked(certificate=a_certificate(closed_at=LATER), faults=(), events=3, rows=5), as_json=False
    )

    assert "closed 2026-01-18 18:00:00 UTC." in capsys.readouterr().out


def test_a_time_of_another_zone_is_told_in_utc() -> None:
    pacific = timezone(timedelta(hours=-8))

    assert moment(datetime(2026, 1, 15, 10, tzinfo=pacific)) == "2026-01-15 18:00:00 UTC"
    assert moment(datetime(2026, 1, 15, 18, 0, 0, 999, tzinfo=UTC)) == "2026-01-15 18:00:00 UTC"
    assert moment("2026-01-15T10:00:00.000999-08:00") == "2026-01-15 18:00:00 UTC"
