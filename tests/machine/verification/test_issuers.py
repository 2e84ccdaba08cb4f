"""Whose account assertions are believed: a file per business, read again when it changes."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.issuers import IssuerFolder
from tests.support.accounts import IdentityProvider


@pytest.mark.parametrize("business", ["unknown", "", "../cascadia", "a/b", ".cascadia", "cascadia.jwks.json"])
def test_a_business_without_a_file_has_no_accounts(tmp_path: Path, business: str) -> None:
    folder = tmp_path / "issuers"
    folder.mkdir()
    IdentityProvider().publish(tmp_path, "cascadia")
    IdentityProvider().publish(folder, "cascadia")

    assert IssuerFolder(folder).of(business) == ()


def test_a_folder_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert IssuerFolder(tmp_path / "nowhere").of("cascadia") == ()


def test_the_file_names_the_provider(tmp_path: Path) -> None:
    IdentityProvider("https://id.cascadia.test").publish(tmp_path, "cascadia")

    [issuer] = IssuerFolder(tmp_path).of("cascadia")

    assert issuer.issuer == "https://id.cascadia.test"


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    path = IdentityProvider("https://one.test").publish(tmp_path, "cascadia")
    issuers = IssuerFolder(tmp_path)
    first = issuers.of("cascadia")
    assert issuers.of("cascadia") is first

    _replace(path, IdentityProvider("https://two.test").document())

    assert [one.issuer for one in issuers.of("cascadia")] == ["https://two.test"]


@pytest.mark.parametrize(
    "broken", [b"", b"{}", b"[]", b'{"issuer": 7, "keys": []}', b'{"issuer": "x"}', b"\xff"]
)
def test_a_file_damaged_while_we_run_is_reported_and_the_keys_before_stay(
    tmp_path: Path, broken: bytes
) -> None:
    path = IdentityProvider("https://one.test").publish(tmp_path, "cascadia")
    issuers = IssuerFolder(tmp_path)
    issuers.of("cascadia")
    _replace(path, broken)

    with capture_logs() as logged:
        found = issuers.of("cascadia")

    assert [one.issuer for one in found] == ["https://one.test"]
    assert [line["event"] for line in logged] == ["issuer.unreadable"]


def test_a_file_damaged_from_the_start_gives_no_issuer(tmp_path: Path) -> None:
    (tmp_path / "cascadia.jwks.json").write_bytes(b"damaged")

    assert IssuerFolder(tmp_path).of("cascadia") == ()


def test_a_file_taken_away_takes_its_trust_with_it(tmp_path: Path) -> None:
    path = IdentityProvider().publish(tmp_path, "cascadia")
    issuers = IssuerFolder(tmp_path)
    assert len(issuers.of("cascadia")) == 1

    path.unlink()

    assert issuers.of("cascadia") == ()


def _replace(path: Path, content: bytes) -> None:
    before = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))
