"""Tink at arm's length: making, storing and using one AES-256-GCM key.

Tink ships no types; this module is the only one that touches its data keys.
"""

from functools import cache
from typing import Protocol

import tink
from tink import aead, proto_keyset_format, secret_key_access


class Aead(Protocol):
    """Authenticated encryption with associated data."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """The plaintext sealed, bound to the associated data."""
        ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """The plaintext again; raises TinkError where anything was changed."""
        ...


UnsealError: type[Exception] = tink.TinkError


def new_data_key() -> tuple[Aead, bytes]:
    """A fresh key: ready for use, and in the form that is wrapped and stored."""
    _register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    serialised: bytes = proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return _primitive(handle), serialised


def load_data_key(serialised: bytes) -> Aead:
    _register()
    return _primitive(proto_keyset_format.parse(serialised, secret_key_access.TOKEN))


def _primitive(handle: tink.KeysetHandle) -> Aead:
    primitive: Aead = handle.primitive(aead.Aead)
    return primitive


@cache
def _register() -> None:
    aead.register()
