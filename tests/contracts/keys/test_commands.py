"""`habeas keys` and `habeas evidence` as a person meets them."""

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import certificates
from deploy.cli.main import app
from shared.evidence import build_payload, sign_certificate
from shared.keyfiles import KeyFiles, init_keys
from shared.signing import KeyRing
from tests.support.certificates import EVENTS, a_certificate

RUN = CliRunner()
REQUEST = str(a_certificate().request_id)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    init_keys(tmp_path / "keys")
    return tmp_path


@pytest.fixture
def certificate(home: Path) -> Path:
    path = home / "certificate.jws"
    path.write_text(
        sign_certificate(build_payload(a_certificate()), KeyFiles(home / "keys").evidence()) + "\n"
    )
    return path


def verify(home: Path, *arguments: str) -> tuple[int, str]:
    result = RUN.invoke(app, ["evidence", "verify", *arguments, "--home", str(home)])
    return result.exit_code, result.output


def events_file(home: Path, values: Mapping[UUID, bytes]) -> str:
    path = home / "events.jsonl"
    lines = [
        json.dumps({"id": str(one), "value": b64encode(value).decode()}) for one, value in values.items()
    ]
    path.write_text("\n".join(lines))
    return str(path)


def test_a_genuine_certificate_is_exit_0(home: Path, certificate: Path) -> None:
    code, said = verify(home, str(certificate))

    assert code == 0
    assert "genuine" in said
    assert "cascadia" in said


def test_the_public_key_alone_is_enough(
    home: Path, certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    jwks = elsewhere / "evidence.jwks.json"
    jwks.write_bytes((home / "keys" / "public" / "evidence.jwks.json").read_bytes())

    assert verify(elsewhere, str(certificate), "--jwks", str(jwks))[0] == 0


def test_as_json_the_whole_certificate_is_there(home: Path, certificate: Path) -> None:
    code, said = verify(home, str(certificate), "--json")

    found = json.loads(said)
    assert code == 0
    assert found["genuine"] is True
    assert found["certificate"]["right"] == "delete"


def test_a_certificate_from_standard_input_is_read(home: Path, certificate: Path) -> None:
    result = RUN.invoke(app, ["evidence", "verify", "-", "--home", str(home)], input=certificate.read_text())

    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("text", "sentence"), [("nothing", "no certificate"), ("a.b.c", "no certificate"), ("", "no certificate")]
)
def test_what_is_no_certificate_is_exit_1(home: Path, text: str, sentence: str) -> None:
    path = home / "x"
    path.write_text(text)

    code, said = verify(home, str(path))

    assert code == 1
    assert sentence in said


def test_a_changed_or_foreign_certificate_is_exit_1(home: Path, certificate: Path) -> None:
    header, payload, signature = certificate.read_text().split(".")
    changed = home / "changed"
    changed.write_text(f"{header}.{payload[:-4]}AAAA.{signature}")
    foreign = home / "foreign"
    ring = KeyRing.generate()
    foreign.write_text(sign_certificate(build_payload(a_certificate()), ring))

    assert verify(home, str(changed))[0] == 1
    code, said = verify(home, str(foreign), "--json")
    assert code == 1
    assert json.loads(said) == {
        "genuine": False,
        "refusal": "unknown_key",
        "key": ring.primary.kid,
        "events": None,
        "certificate": None,
    }


def test_events_are_compared_byte_for_byte(home: Path, certificate: Path) -> None:
    first, *rest = EVENTS

    code, said = verify(home, str(certificate), "--events", events_file(home, {**EVENTS}))
    assert (code, "byte for byte" in said) == (0, True)

    changed = {**{one: EVENTS[one] for one in rest}, first: b"{}"}
    code, said = verify(home, str(certificate), "--events", events_file(home, {**changed}))
    assert (code, f"Event {first} was changed." in said) == (1, True)

    code, said = verify(home, str(certificate), "--events", events_file(home, {}))
    assert (code, f"Event {first} is missing." in said) == (1, True)


def test_what_cannot_be_checked_is_exit_2_and_says_what_to_do(home: Path, certificate: Path) -> None:
    bad = home / "bad"
    bad.write_bytes(b"\xff\xfe")
    empty = home / "empty.json"
    empty.write_text('{"keys": [{"kty": "EC"}]}')

    for arguments, sentence in (
        ([str(home / "absent")], "cannot be read"),
        ([str(bad)], "no text"),
        ([str(certificate), "--jwks", str(home / "absent")], "--jwks"),
        ([str(certificate), "--jwks", str(bad)], "public keys"),
        ([str(certificate), "--jwks", str(empty)], "no Ed25519 key"),
        ([str(certificate), "--events", str(home / "absent")], "cannot be read"),
        ([str(certificate), "--events", str(certificate)], "JSON lines"),
    ):
        code, said = verify(home, *arguments)
        assert (code, sentence in said, "Traceback" in said) == (2, True, False), said


def keys(home: Path, *arguments: str) -> tuple[int, str]:
    result = RUN.invoke(app, ["keys", *arguments, "--home", str(home)])
    return result.exit_code, result.output


def test_keys_are_made_shown_and_rotated_without_showing_any(tmp_path: Path) -> None:
    assert "kek.json" in keys(tmp_path, "init")[1]
    assert keys(tmp_path, "init") == (0, "Every key is there already.\n")
    before = json.loads(keys(tmp_path, "show", "--json")[1])

    assert keys(tmp_path, "rotate", "evidence")[0] == 0

    after = json.loads(keys(tmp_path, "show", "--json")[1])
    assert after["evidence"][1:] == before["evidence"]
    assert after["kek"] == before["kek"]
    material = KeyFiles(tmp_path / "keys").evidence().primary.private_jwk()["d"]
    assert material not in keys(tmp_path, "show")[1]


def test_what_is_wrong_with_a_key_is_one_sentence(home: Path) -> None:
    (home / "keys" / "kek.json").chmod(0o644)

    code, said = keys(home, "show")

    assert code == 1
    assert said.startswith("habeas: ")
    assert "chmod 600" in said


def test_rewrapping_needs_the_keepers_login(home: Path) -> None:
    code, said = keys(home, "rewrap")
    assert (code, "habeas migrate" in said) == (1, True)

    (home / "secrets").mkdir()
    (home / "secrets" / "keeper.vault-url").write_text("postgresql://keeper@127.0.0.1:1/vault")
    (home / "secrets" / "keeper.vault-url").chmod(0o600)
    code, said = keys(home, "rewrap")
    assert (code, "does not answer" in said) == (1, True)


def handed_out(monkeypatch: pytest.MonkeyPatch, status: int, text: str) -> list[str]:
    """The deadline service over HTTP, which answers this; the paths that it was asked for."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(status, text=text)

    transport = httpx2.MockTransport(answer)
    monkeypatch.setattr(
        certificates, "new_client", lambda url: httpx2.Client(base_url=url, transport=transport)
    )
    return asked


def show(home: Path, *arguments: str) -> Result:
    options = ("--url", "http://deadline.test", "--home", str(home))
    return RUN.invoke(app, ["evidence", "show", REQUEST, *arguments, *options])


def test_the_certificate_of_a_request_is_fetched_checked_told_and_saved(
    home: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = handed_out(monkeypatch, 200, certificate.read_text())

    result = show(home, "--save", str(home / "saved.jws"))

    assert result.exit_code == 0
    assert asked == [f"/certificates/{REQUEST}"]
    assert "The signature is genuine" in result.stdout
    assert "late from" in result.stdout
    assert verify(home, str(home / "saved.jws"))[0] == 0


@pytest.mark.parametrize(
    ("status", "sentence"), [(404, "not closed yet"), (500, "answered 500; ask again later")]
)
def test_where_there_is_no_certificate_the_reason_is_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, status: int, sentence: str
) -> None:
    handed_out(monkeypatch, status, "")

    result = show(home)

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_where_the_service_does_not_run_the_remedy_is_told(home: Path) -> None:
    result = RUN.invoke(app, ["evidence", "show", REQUEST, "--home", str(home)])

    assert result.exit_code == 2
    assert "habeas serve deadline" in result.stderr
