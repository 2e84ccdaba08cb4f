"""A business's identity provider for tests: signs people in and publishes its keys."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey

ISSUER = "https://id.cascadia.test"


class IdentityProvider:
    """One key, one name."""

    def __init__(self, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self._key = ECKey.generate_key("P-256")

    def document(self) -> bytes:
        """What lies in the folder of issuers."""
        return json.dumps({"issuer": self.issuer, "keys": [self._key.as_dict(private=False)]}).encode()

    def publish(self, folder: Path, business: str) -> Path:
        path = folder / f"{business}.jwks.json"
        path.write_bytes(self.document())
        return path

    def assertion(self, address: str, *, signed_in_at: datetime, **more: Any) -> bytes:
        """A signed assertion of the account behind an address."""
        claims = {
            "iss": self.issuer,
            "sub": "account-7",
            "aud": "habeas",
            "exp": int((signed_in_at + timedelta(hours=2)).timestamp()),
            "auth_time": int(signed_in_at.timestamp()),
            "email": address,
            "email_verified": True,
        }
        body = json.dumps({**claims, **more})
        return jws.serialize_compact({"alg": "ES256"}, body, self._key).encode()
