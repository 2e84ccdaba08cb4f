"""Under which keyed hashes a person is suppressed: by business, kind of identifier and its normal form.

Whoever holds the key makes the same hashes: HMAC-SHA256 over `suppressed/<business>/<kind>`, a zero byte, and the
value in its normal form, as UTF-8. Two businesses of one installation never share a hash.
"""

from shared.privacy.identifiers import InvalidIdentifier, normalise_email, normalise_phone
from shared.privacy.keyring import HmacKeyring
from shared.privacy.lookup import lookup_hash, lookup_hashes

PHONES = frozenset({"phone", "phone_number"})


def suppression_hash(keyring: HmacKeyring, business: str, kind: str, value: str) -> str | None:
    """The hash under the newest version of the key; None for what is no such identifier."""
    found = normal_form(kind, value)
    return None if found is None else lookup_hash(keyring, _kind(business, found[0]), found[1])


def suppression_hashes(keyring: HmacKeyring, business: str, kind: str, value: str) -> tuple[str, ...]:
    """The hash under every version, since what was suppressed under an older one stays under it."""
    found = normal_form(kind, value)
    return () if found is None else lookup_hashes(keyring, _kind(business, found[0]), found[1])


def _kind(business: str, kind: str) -> str:
    return f"suppressed/{business}/{kind}"


def normal_form(kind: str, value: str) -> tuple[str, str] | None:
    """The kind and the value as everybody writes them; None for what is no such identifier."""
    try:
        if kind == "email":
            return kind, normalise_email(value)
        if kind in PHONES:
            return "phone", normalise_phone(value)
    except InvalidIdentifier:
        return None
    plain = value.strip()
    return (kind, plain) if plain else None
