"""The folder of key files: made once, loaded by type, rotated by name. docs/keys.md says which is for what.

A service needs only the files that it uses; the public sides lie apart, so that nobody needs a private key to
check a signature.
"""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from shared.privacy import HmacKeyring, Secret
from shared.private_files import (
    Identity,
    KeyFileRefused,
    create_private,
    identity,
    read_private,
    read_trusted,
    write_private,
)
from shared.signing import DecryptionKeys, KeyRing, PublicKeys, VendorKeys, jwks_document
from shared.signing.keys import Publishes
from shared.vault.kek import FileKek, new_keyset, rotated_keyset

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One kind of key file: its name, its first content, its content after a rotation, its public side."""

    name: str
    first: Callable[[], bytes]
    rotated: Callable[[bytes], bytes]
    publishes: Callable[[bytes], Publishes] | None = None
    public_name: str = ""


def init_keys(folder: Path) -> list[str]:
    """Make what is missing and leave what is there; the names of the files made."""
    for path in (folder, folder / "public", folder / "public" / "commands", vendor_folder(folder)):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = [file.name for file in FILES.values() if create_private(folder / file.name, file.first())]
    for file in FILES.values():
        _publish(folder, file)
    return made


def vendor_folder(folder: Path) -> Path:
    """Where the public keys of vendors lie, a file each."""
    return folder / "public" / "vendors"


def rotate_key(folder: Path, key: str) -> None:
    """Put a new version in front; the older ones stay, for what was made with them."""
    file = FILES[key]
    write_private(folder / file.name, file.rotated(read_private(folder / file.name)))
    _publish(folder, file)


def retire_key(folder: Path, key: str, kid: str, at: datetime) -> None:
    """Say in the published keys that an older one signs nothing any more; what it signed before stays proved.

    Raises:
        KeyFileRefused: it is the one that signs, or none of them.
    """
    file = FILES[key]
    ring = KeyRing.from_document(read_private(folder / file.name))
    try:
        retired = ring.retired(kid, at)
    except ValueError:
        raise KeyFileRefused(
            f"{kid} is no older version of {key}: habeas keys show lists them, habeas keys rotate {key} makes a new one"
        ) from None
    write_private(folder / file.name, retired.private_document())
    _publish(folder, file)


class KeyFiles:
    """Typed loaders over the folder; each raises KeyFileRefused with the remedy.

    A rotation is seen at the next use: a file is read again when it is another one than before.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, tuple[Identity, Any]] = {}

    def kek(self) -> FileKek:
        return FileKek(self._folder / FILES["kek"].name)

    def lookup(self) -> HmacKeyring:
        return self._loaded("lookup", _parse_hmac)

    def request_secret(self) -> HmacKeyring:
        return self._loaded("request-secret", _parse_hmac)

    def submissions(self) -> DecryptionKeys:
        return self._loaded("submissions", DecryptionKeys.from_document)

    def evidence(self) -> KeyRing:
        return self._loaded("evidence", KeyRing.from_document)

    def answers(self) -> KeyRing:
        return self._loaded("answers", KeyRing.from_document)

    def directives(self) -> KeyRing:
        return self._loaded("directives", KeyRing.from_document)

    def vendor(self, name: str) -> VendorKeys:
        """A vendor's public keys: one to encrypt to, and those that it signs with."""
        path = vendor_folder(self._folder) / f"{name}.jwks.json"
        content = read_trusted(path, made_by=f"habeas vendors onboard {name}")
        return _parsed(path, content, VendorKeys.from_document)

    def cli(self) -> KeyRing:
        return self._loaded("cli", KeyRing.from_document)

    def evidence_public(self) -> PublicKeys:
        return _public(self._folder / "public" / "evidence.jwks.json")

    def command_keys(self) -> dict[str, PublicKeys]:
        """Who may sign decisions: the command's source, such as `habeas/cli`, to its public keys."""
        found = sorted((self._folder / "public" / "commands").glob("*.jwks.json"))
        suffix = len(".jwks.json")
        return {f"habeas/{path.name[:-suffix]}": _public(path) for path in found}

    def _loaded(self, key: str, parse: Callable[[bytes], T]) -> T:
        now = identity(f"{self._folder}/{FILES[key].name}")
        before, known = self._read.get(key, (None, None))
        if now is None or now != before:
            path = self._folder / FILES[key].name
            known = _parsed(path, read_private(path), parse)
            # Looked at before it was read: what changes in between is read again.
            self._read[key] = (now or (), known)
        return cast("T", known)


def _public(path: Path) -> PublicKeys:
    return _parsed(path, read_trusted(path), PublicKeys.from_document)


def _parsed(path: Path, content: bytes, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(content)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyFileRefused(f"{path} is damaged; restore it from its copy") from None


def _publish(folder: Path, file: KeyFile) -> None:
    if file.publishes is not None:
        ring = file.publishes(read_private(folder / file.name))
        document = json.dumps(jwks_document(ring), indent=1).encode()
        write_private(folder / "public" / file.public_name, document, mode=0o644)


def _first_hmac() -> bytes:
    return _hmac_document("1", {"1": b64encode(secrets.token_bytes(32)).decode()})


def _rotated_hmac(content: bytes) -> bytes:
    keys: dict[str, str] = json.loads(content)["keys"]
    version = str(max(int(known) for known in keys) + 1)
    return _hmac_document(version, {**keys, version: b64encode(secrets.token_bytes(32)).decode()})


def _hmac_document(primary: str, keys: dict[str, str]) -> bytes:
    return json.dumps({"primary": primary, "keys": keys}, indent=1).encode()


def _parse_hmac(content: bytes) -> HmacKeyring:
    document = json.loads(content)
    keys = {version: Secret(b64decode(key, validate=True)) for version, key in document["keys"].items()}
    return HmacKeyring(document["primary"], keys)


def _ring(key: str, public_name: str) -> KeyFile:
    return KeyFile(
        name=f"{key}.jwks.json",
        first=lambda: KeyRing.generate().private_document(),
        rotated=lambda content: KeyRing.from_document(content).rotated().private_document(),
        publishes=KeyRing.from_document,
        public_name=public_name,
    )


FILES = {
    "kek": KeyFile("kek.json", new_keyset, rotated_keyset),
    "lookup": KeyFile("lookup.json", _first_hmac, _rotated_hmac),
    "request-secret": KeyFile("request-secret.json", _first_hmac, _rotated_hmac),
    "submissions": KeyFile(
        name="submissions.jwks.json",
        first=lambda: DecryptionKeys.generate().private_document(),
        rotated=lambda content: DecryptionKeys.from_document(content).rotated().private_document(),
        publishes=DecryptionKeys.from_document,
        public_name="submissions.jwks.json",
    ),
    "evidence": _ring("evidence", "evidence.jwks.json"),
    "answers": _ring("answers", "answers.jwks.json"),
    "directives": _ring("directives", "directives.jwks.json"),
    "cli": _ring("cli", "commands/cli.jwks.json"),
}
