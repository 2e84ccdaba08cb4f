"""The sample business's identity provider: it signs that somebody is signed in to their account."""

import json
import time
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OKPKey

from shared.clock import Clock

ISSUER = "https://accounts.cascadia.example"


class IdentityProvider:
    """Signs account assertions with a key whose public half verification is given."""

    def __init__(self, clock: Clock, *, audience: str = "habeas") -> None:
        self._key = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
        self._clock = clock
        self._audience = audience

    def publish(self, folder: Path, business: str) -> None:
        """Write the public key where verification looks for this business's."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / f"{business}.jwks.json").write_bytes(self.document())

    def document(self) -> bytes:
        """The public key with the provider's name."""
        return json.dumps({"issuer": ISSUER, "keys": [self._key.as_dict(private=False)]}).encode()

    def assertion(self, email: str, *, subject: str) -> str:
        """A signed statement that this account signed in just now."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "auth_time": now,
            "iat": now,
            "exp": now + 300,
            "jti": f"{subject}-{time.monotonic_ns()}",
        }
        return jwt.encode({"alg": "Ed25519", "kid": self._key.kid}, claims, self._key, algorithms=["Ed25519"])
