"""Who may send a command: its declared sources, and for a human decision the signature of the tool they used."""

from collections.abc import Callable

from shared.machine.decision import Message

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
