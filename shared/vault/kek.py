"""The key-encryption key in a file: a Tink keyset with a version for each rotation.

A running process notices a rotation at the next use, because the file's identity is looked at each time.
"""

import json
from pathlib import Path
from typing import Any

import tink
from tink import aead, json_proto_keyset_format, secret_key_access

from shared.private_files import KeyFileRefused, read_private
from shared.vault.data_key import Aead, UnsealError
from shared.vault.errors import CannotUnwrap, KekVersionMissing
from shared.vault.ports import WrappedKey


def new_keyset() -> bytes:
    """A keyset with one version, as the file's content."""
    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    text: str = json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return text.encode()


def rotated_keyset(content: bytes) -> bytes:
    """The same keyset with one more version, which is the primary one from now on."""
    keyset, fresh = json.loads(content), json.loads(new_keyset())
    known = {key["keyId"] for key in keyset["key"]}
    if fresh["primaryKeyId"] in known:
        return rotated_keyset(content)
    merged = {"primaryKeyId": fresh["primaryKeyId"], "key": [*keyset["key"], *fresh["key"]]}
    return json.dumps(merged).encode()


class FileKek:
    """A KeyEncryptionKey in a private file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._versions: tuple[str, ...] = ()
        self._aead = self._load()

    @property
    def version(self) -> str:
        self._refresh()
        return self._versions[0]

    @property
    def versions(self) -> tuple[str, ...]:
        """Every version in the file, the one in use first."""
        self._refresh()
        return self._versions

    async def wrap(self, key: bytes, context: bytes) -> WrappedKey:
        self._refresh()
        return WrappedKey(self._aead.encrypt(key, context), self._versions[0])

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        self._refresh()
        if wrapped.version not in self._versions:
            raise KekVersionMissing(wrapped.version)
        try:
            return self._aead.decrypt(wrapped.blob, context)
        except UnsealError:
            raise CannotUnwrap("a stored key does not open under its key-encryption key") from None

    def _refresh(self) -> None:
        if self._stamp != self._identity():
            self._aead = self._load()

    def _load(self) -> Aead:
        self._stamp, content = self._identity(), read_private(self._path)
        try:
            keyset = json.loads(content)
            primitive = _primitive(content)
        except (ValueError, UnsealError):
            raise KeyFileRefused(
                f"{self._path} is no key-encryption keyset; restore it from its copy"
            ) from None
        self._versions = _versions(keyset)
        return primitive

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _primitive(content: bytes) -> Aead:
    aead.register()
    handle = json_proto_keyset_format.parse(content.decode(), secret_key_access.TOKEN)
    primitive: Aead = handle.primitive(aead.Aead)
    return primitive


def _versions(keyset: dict[str, Any]) -> tuple[str, ...]:
    primary = keyset["primaryKeyId"]
    return (str(primary), *(str(key["keyId"]) for key in reversed(keyset["key"]) if key["keyId"] != primary))
