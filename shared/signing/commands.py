"""The signature under a person's decision: which command it is, for which request, by whom, with which bytes.

The signature is detached: the payload travels as it is, and the reader rebuilds what was signed.
"""

from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass

from shared.canonical import canonical_json, sha256_hex
from shared.signing.jws import Unverified, sign, verify
from shared.signing.keys import KeyRing, PublicKeys

COMMAND_TYPE = "habeas-command+jws"


@dataclass(frozen=True, slots=True)
class CommandIdentity:
    """What a command's envelope says, as far as its meaning depends on it, and who decided."""

    source: str
    id: str
    type: str
    subject: str
    actor: str


def sign_command(payload: bytes, identity: CommandIdentity, ring: KeyRing) -> str:
    """`header..signature` over the payload's exact bytes and the command's identity."""
    header, _, signature = sign(_signed(payload, identity), COMMAND_TYPE, ring).split(".")
    return f"{header}..{signature}"


def verify_command(
    signature: str, payload: bytes, identity: CommandIdentity, keys: PublicKeys
) -> Unverified | None:
    """None if one of these keys signed this command; else why it does not count."""
    header, separator, rest = signature.partition("..")
    if not separator:
        return Unverified("malformed")
    signed = urlsafe_b64encode(_signed(payload, identity)).rstrip(b"=").decode()
    found = verify(f"{header}.{signed}.{rest}", keys, COMMAND_TYPE)
    return found if isinstance(found, Unverified) else None


def _signed(payload: bytes, identity: CommandIdentity) -> bytes:
    return canonical_json({**asdict(identity), "payload_sha256": sha256_hex(payload)})
