"""The evidence key changes while requests go on: what was signed before, meanwhile and after verifies all the same."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from shared.evidence import build_payload, sign_certificate
from shared.keyfiles import KeyFiles, init_keys, rotate_key
from shared.private_files import KeyFileRefused
from tests.support.certificates import a_certificate


def verified(home: Path, token: str) -> Result:
    file = home / "certificate.jws"
    file.write_text(token)
    return CliRunner().invoke(app, ["evidence", "verify", str(file), "--home", str(home)])


def test_certificates_of_before_during_and_after_a_rotation_verify(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys")
    payload, files = build_payload(a_certificate()), KeyFiles(tmp_path / "keys")
    loaded = files.evidence()
    before = sign_certificate(payload, loaded)

    rotate_key(tmp_path / "keys", "evidence")
    # A service that runs on still holds the ring that it was started with.
    meanwhile = sign_certificate(payload, loaded)
    after = sign_certificate(payload, files.evidence())

    assert loaded.primary.kid != files.evidence().primary.kid
    for token in (before, meanwhile, after):
        assert verified(tmp_path, token).exit_code == 0


def test_a_key_file_is_read_once_until_it_changes_and_refused_once_it_is_open_to_others(
    tmp_path: Path,
) -> None:
    init_keys(tmp_path / "keys")
    files = KeyFiles(tmp_path / "keys")
    loaded = files.lookup()

    assert files.lookup() is loaded

    (tmp_path / "keys" / "lookup.json").chmod(0o644)
    with pytest.raises(KeyFileRefused, match="open to others"):
        files.lookup()

    (tmp_path / "keys" / "lookup.json").unlink()
    with pytest.raises(KeyFileRefused, match="missing"):
        files.lookup()


def retire(home: Path, kid: str) -> Result:
    return CliRunner().invoke(app, ["keys", "retire", "evidence", kid, "--home", str(home)])


def test_what_a_retired_key_signs_anew_is_refused_and_what_it_signed_before_stays_proved(
    tmp_path: Path,
) -> None:
    init_keys(tmp_path / "keys")
    stolen = KeyFiles(tmp_path / "keys").evidence()
    before = sign_certificate(build_payload(a_certificate()), stolen)
    rotate_key(tmp_path / "keys", "evidence")
    assert retire(tmp_path, stolen.primary.kid).exit_code == 0
    shown = CliRunner().invoke(app, ["keys", "show", "--home", str(tmp_path)]).stdout
    assert f"{stolen.primary.kid} (retired)" in shown
    later = a_certificate().model_copy(update={"closed_at": datetime(2999, 1, 1, tzinfo=UTC)})

    forged = verified(tmp_path, sign_certificate(build_payload(later), stolen))

    assert forged.exit_code == 1
    assert f"the key {stolen.primary.kid} was retired before the date" in " ".join(forged.stdout.split())
    assert verified(tmp_path, before).exit_code == 0
    assert (
        verified(
            tmp_path, sign_certificate(build_payload(later), KeyFiles(tmp_path / "keys").evidence())
        ).exit_code
        == 0
    )


def test_a_rotation_after_it_does_not_bring_a_retired_key_back(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys")
    retired = KeyFiles(tmp_path / "keys").evidence().primary.kid
    rotate_key(tmp_path / "keys", "evidence")
    retire(tmp_path, retired)

    rotate_key(tmp_path / "keys", "evidence")
    init_keys(tmp_path / "keys")

    assert not KeyFiles(tmp_path / "keys").evidence_public().counts(retired, datetime(2999, 1, 1, tzinfo=UTC))


def test_the_key_that_signs_and_one_that_is_not_there_cannot_be_retired(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys")

    for kid in (KeyFiles(tmp_path / "keys").evidence().primary.kid, "nobody", "-nobody"):
        answer = retire(tmp_path, kid)
        assert answer.exit_code == 1
        assert "no older version of evidence" in answer.stderr


def test_a_key_that_was_removed_is_named(tmp_path: Path) -> None:
    init_keys(tmp_path / "keys")
    old = KeyFiles(tmp_path / "keys").evidence().primary.kid
    token = sign_certificate(build_payload(a_certificate()), KeyFiles(tmp_path / "keys").evidence())
    rotate_key(tmp_path / "keys", "evidence")
    public = tmp_path / "keys" / "public" / "evidence.jwks.json"
    left = [one for one in json.loads(public.read_text())["keys"] if one["kid"] != old]
    public.write_text(json.dumps({"keys": left}))

    answer = verified(tmp_path, token)

    assert answer.exit_code == 1
    assert f"the key {old} signed it, which is not among the given ones" in " ".join(answer.stdout.split())
