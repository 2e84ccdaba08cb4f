"""Who may send a command: its declared sources, and for a human decision the signature of the tool they used."""

from collections.abc import Callable

from shared.keyfiles import KeyFiles
from shared.machine.decision import Message
from shared.signing import CommandIdentity, verify_command

VerifySignature = Callable[[Message], bool]


class Admission:
    """Answers why a command may not be taken, or None."""

    def __init__(self, verify_signature: VerifySignature) -> None:
        self._verify = verify_signature

    def __call__(self, message: Message) -> str | None:
        declared = message.body.declared
        wildcard = f"{message.source.partition('/')[0]}/*"
        if message.source not in declared.sources and wildcard not in declared.sources:
            return "source_not_allowed"
        if declared.signed and not self._verify(message):
            return "signature_invalid"
        return None


def signature_check(keys: KeyFiles) -> VerifySignature:
    """Checks the signature of whoever decided, made with the console's or the CLI's key over the exact bytes."""
    public = keys.command_keys()

    def verify(message: Message) -> bool:
        ring = public.get(message.source)
        if message.signature is None or message.raw is None or ring is None:
            return False
        identity = CommandIdentity(
            source=message.source,
            id=str(message.id),
            type=message.ce_type,
            subject=str(message.request_id),
            actor=getattr(message.body, "actor", ""),
        )
        return verify_command(message.signature, message.raw.value, identity, ring) is None

    return verify
