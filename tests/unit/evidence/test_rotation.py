"""The evidence key changes while requests go on: what was signed before, meanwhile and after verifies all the same."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from deploy.cli.main import app
from shared.evidence import build_payload, sign_certificate
from shared.keyfiles import KeyFiles, init_keys, rotate_key
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
