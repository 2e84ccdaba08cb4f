"""What can go wrong with a request's key. No text here ever holds plaintext, key material or sealed bytes."""

from uuid import UUID


class VaultError(Exception):
    """The base of the vault's errors."""


class KeyNotOpen(VaultError):
    """The key is not in the cache (any more): prefetch the request and try again."""

    def __init__(self, request_id: UUID) -> None:
        super().__init__(f"the key of request {request_id} is not open; prefetch it first")


class KeyUnknown(VaultError):
    """The vault has never had a key for this request."""

    def __init__(self, request_id: UUID) -> None:
        super().__init__(f"the vault has no key for request {request_id}")


class KeyDestroyed(VaultError):
    """The request's key was destroyed: what it sealed is gone for good."""

    def __init__(self, request_id: UUID) -> None:
        super().__init__(f"the key of request {request_id} was destroyed")


class CannotUnseal(VaultError):
    """The sealed text was changed, or was sealed for another request, message or field."""

    def __init__(self, request_id: UUID, field: str) -> None:
        super().__init__(f"field {field} of request {request_id} does not unseal")


class KekVersionMissing(VaultError):
    """The key-encryption key at hand lacks a version that the vault uses: a wrong or an old key file."""

    def __init__(self, version: str) -> None:
        super().__init__(f"the key-encryption key has no version {version}; restore the key file that has it")


class CannotUnwrap(VaultError):
    """A wrapped key does not open under its key-encryption key: it was changed or moved between requests."""
