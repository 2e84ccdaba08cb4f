import stat
from pathlib import Path
from uuid import uuid4

import pytest

from shared.keyfiles import FILES, KeyFiles, init_keys, rotate_key
from shared.privacy import lookup_hash, lookup_hashes
from shared.private_files import KeyFileRefused, create_private, read_private, read_trusted, write_private
from shared.signing import decrypt_submission, encrypt_submission, sign, verify
from shared.vault import CannotUnwrap, KekVersionMissing, WrappedKey


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys = tmp_path / "keys"
    init_keys(keys)
    return keys


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_keys_are_made_once_and_stay(folder: Path) -> None:
    before = _contents(folder)

    assert init_keys(folder) == []
    assert _contents(folder) == before


def test_a_missing_key_alone_is_made_anew(folder: Path) -> None:
    before = _contents(folder)
    (folder / "lookup.json").unlink()

    assert init_keys(folder) == ["lookup.json"]
    assert {path for path, content in _contents(folder).items() if before[path] != content} == {
        folder / "lookup.json"
    }


def test_nobody_else_can_read_a_key(folder: Path) -> None:
    assert _mode(folder) == 0o700
    assert all(_mode(folder / file.name) == 0o600 for file in FILES.values())
    assert not list(folder.glob(".*"))


LOADERS = {
    "kek": KeyFiles.kek,
    "lookup": KeyFiles.lookup,
    "request-secret": KeyFiles.request_secret,
    "submissions": KeyFiles.submissions,
    "evidence": KeyFiles.evidence,
    "answers": KeyFiles.answers,
    "directives": KeyFiles.directives,
    "cli": KeyFiles.cli,
}


def test_every_key_file_has_a_loader_here() -> None:
    assert set(LOADERS) == set(FILES)


@pytest.mark.parametrize("key", FILES)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o777])
def test_a_key_that_others_can_reach_is_refused_with_the_remedy(folder: Path, key: str, mode: int) -> None:
    path = folder / FILES[key].name
    path.chmod(mode)

    with pytest.raises(KeyFileRefused, match=f"mode {mode:04o}.*chmod 600"):
        LOADERS[key](KeyFiles(folder))


@pytest.mark.parametrize("key", FILES)
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"keys": [{"kty": "OKP"}]}'])
def test_a_damaged_key_is_refused_in_one_sentence(folder: Path, key: str, content: bytes) -> None:
    write_private(folder / FILES[key].name, content)

    with pytest.raises(KeyFileRefused, match=FILES[key].name):
        LOADERS[key](KeyFiles(folder))


@pytest.mark.parametrize("key", FILES)
def test_a_missing_key_is_refused_with_the_remedy(folder: Path, key: str) -> None:
    (folder / FILES[key].name).unlink()

    with pytest.raises(KeyFileRefused, match="habeas keys init"):
        LOADERS[key](KeyFiles(folder))


async def test_after_a_rotation_a_running_process_wraps_anew_and_still_unwraps(folder: Path) -> None:
    kek, context = KeyFiles(folder).kek(), uuid4().bytes
    before = await kek.wrap(b"data key", context)

    rotate_key(folder, "kek")
    after = await kek.wrap(b"data key", context)

    assert before.version != after.version == kek.version
    assert kek.versions == (after.version, before.version)
    assert await kek.unwrap(before, context) == await kek.unwrap(after, context) == b"data key"


async def test_a_data_key_unwraps_only_for_its_own_request(folder: Path) -> None:
    kek, context = KeyFiles(folder).kek(), uuid4().bytes
    wrapped = await kek.wrap(b"data key", context)

    with pytest.raises(CannotUnwrap):
        await kek.unwrap(wrapped, uuid4().bytes)
    with pytest.raises(KekVersionMissing, match="no version 7"):
        await kek.unwrap(WrappedKey(wrapped.blob, "7"), context)


def test_after_a_rotation_older_hashes_signatures_and_submissions_are_understood(folder: Path) -> None:
    keys = KeyFiles(folder)
    old_hash = lookup_hash(keys.lookup(), "email", "x")
    old_signature = sign(b"x", "t", keys.evidence())
    old_claims = encrypt_submission(b"x", keys.submissions().public_jwks()[0])

    for key in FILES:
        rotate_key(folder, key)

    assert old_hash in lookup_hashes(keys.lookup(), "email", "x")
    assert old_hash != lookup_hash(keys.lookup(), "email", "x")
    assert verify(old_signature, keys.evidence_public(), "t") == b"x"
    assert verify(sign(b"x", "t", keys.evidence()), keys.evidence_public(), "t") == b"x"
    assert decrypt_submission(old_claims, keys.submissions()) == b"x"


def test_a_decisions_source_names_its_own_keys(folder: Path) -> None:
    rotate_key(folder, "cli")
    signature = sign(b"x", "t", KeyFiles(folder).cli())

    found = KeyFiles(folder).command_keys()

    assert set(found) == {"habeas/cli"}
    assert verify(signature, found["habeas/cli"], "t") == b"x"


def test_public_keys_may_be_read_by_all_and_changed_by_none(folder: Path) -> None:
    path = folder / "public" / "evidence.jwks.json"
    assert _mode(path) == 0o644
    assert b'"d"' not in path.read_bytes()

    path.chmod(0o666)

    with pytest.raises(KeyFileRefused, match="changed by others"):
        KeyFiles(folder).evidence_public()


def test_a_file_made_at_the_same_time_by_another_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key"

    assert create_private(path, b"theirs")
    assert not create_private(path, b"mine")
    assert read_private(path) == b"theirs"
    assert read_trusted(path) == b"theirs"
    assert [one.name for one in tmp_path.iterdir()] == ["key"]
