"""One data key per request: what travels between services is sealed under it, and forgotten with it.

The vault is its own database, reached through functions only (deploy/migrations/vault.sql); it is the one
stated exception to "services talk only through Kafka".
"""

from shared.vault.errors import (
    CannotUnseal,
    CannotUnwrap,
    KekVersionMissing,
    KeyDestroyed,
    KeyNotOpen,
    KeyUnknown,
    VaultError,
)
from shared.vault.kek import FileKek
from shared.vault.ports import KeyEncryptionKey, KeyKeeper, KeyStore, StoredKey, WrappedKey
from shared.vault.postgres import PostgresKeys
from shared.vault.rewrap import Rewrapped, rewrap
from shared.vault.vault import Vault

__all__ = [
    "CannotUnseal",
    "CannotUnwrap",
    "FileKek",
    "KekVersionMissing",
    "KeyDestroyed",
    "KeyEncryptionKey",
    "KeyKeeper",
    "KeyNotOpen",
    "KeyStore",
    "KeyUnknown",
    "PostgresKeys",
    "Rewrapped",
    "StoredKey",
    "Vault",
    "VaultError",
    "WrappedKey",
    "rewrap",
]
