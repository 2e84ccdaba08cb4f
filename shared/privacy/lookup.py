"""Keyed hashes under which a person is found again (suppression, open subjects) without being stored."""

from shared.privacy.keyring import HmacKeyring


def lookup_hash(keyring: HmacKeyring, kind: str, value: str) -> str:
    """`<key version>:<hex HMAC-SHA256>` of a value that the caller has already normalised."""
    return _hash(keyring, kind, value, keyring.primary)


def lookup_hashes(keyring: HmacKeyring, kind: str, value: str) -> tuple[str, ...]:
    """The hash under every version, the primary first: what to search for while a key is being rotated."""
    return tuple(_hash(keyring, kind, value, version) for version in keyring.versions)


def _hash(keyring: HmacKeyring, kind: str, value: str, version: str) -> str:
    # The kind is part of the message, so that equal texts of two kinds never meet.
    message = f"{kind}\x00{value}".encode()
    return f"{version}:{keyring.digest(message, version).hex()}"
