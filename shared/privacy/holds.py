"""Under which keyed hashes a person is on hold: by business, kind of identifier and its normal form.

They meet no hash of anything else: who is suppressed cannot be compared with who is on hold.
"""

from shared.privacy.keyring import HmacKeyring
from shared.privacy.lookup import lookup_hashes
from shared.privacy.suppression import normal_form


def hold_hashes(keyring: HmacKeyring, business: str, kind: str, value: str) -> tuple[str, ...]:
    """The hash under every version of the key, so that a hold outlives a rotation; none for no such identifier."""
    found = normal_form(kind, value)
    return () if found is None else lookup_hashes(keyring, f"held/{business}/{found[0]}", found[1])
