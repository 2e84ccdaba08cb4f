"""A vendor with keys of its own: opens the letters that it is sent, and answers as it should, or in any wrong way."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from shared.events import envelope
from shared.events.envelope import Envelope, Raw
from shared.events.message import Command
from shared.events.topics import ACKNOWLEDGEMENTS
from shared.keyfiles import vendor_folder
from shared.machine.decision import Message
from shared.machine.incoming import to_incoming
from shared.private_files import write_private
from shared.signing import (
    CommandIdentity,
    DecryptionKeys,
    KeyRing,
    PublicKeys,
    decrypt_submission,
    jwks_document,
    sign_command,
    verify,
)
from shared.signing.directive import DIRECTIVE_TYPE

NUMBERS = UUID("00000000-0000-4000-8000-0000000000cc")


@dataclass
class VendorAtWork:
    """One vendor; what it says is numbered, so that every word is a new message."""

    name: str = "acme-mail"
    signs: KeyRing = field(default_factory=KeyRing.generate)
    decrypts: DecryptionKeys = field(default_factory=DecryptionKeys.generate)
    said: int = 0

    def publish(self, keys: Path) -> None:
        """Give its public keys to an installation."""
        document = json.dumps(jwks_document(self.decrypts, self.signs)).encode()
        write_private(vendor_folder(keys) / f"{self.name}.jwks.json", document, mode=0o644)

    def opens(self, letter: str, ours: PublicKeys) -> dict[str, Any]:
        """What a letter says, if it is from us and to this vendor."""
        signed = decrypt_submission(letter, self.decrypts)
        assert isinstance(signed, bytes), signed
        content = verify(signed.decode(), ours, DIRECTIVE_TYPE)
        assert isinstance(content, bytes), content
        found: dict[str, Any] = json.loads(content)
        return found

    def says(self, body: Command, request_id: UUID, at: datetime, **wrong: Any) -> Raw:
        """The record of an acknowledgement; `wrong` changes its topic, source, key or who signs."""
        self.said += 1
        source = wrong.get("source", f"vendor/{self.name}")
        message_id = wrong.get("message_id", uuid5(NUMBERS, f"{self.name} {self.said}"))
        value = body.model_dump_json().encode()
        ce_type = body.declared.ce_type
        identity = CommandIdentity(
            source=source, id=str(message_id), type=ce_type, subject=str(request_id), actor=""
        )
        head = Envelope(
            id=message_id,
            source=source,
            ce_type=ce_type,
            subject=request_id,
            time=at,
            sequence=None,
            business="",
            correlation_id=str(request_id),
            traceparent="",
            signature=wrong.get("signature", sign_command(value, identity, wrong.get("signs", self.signs))),
        )
        headers = tuple((name, text.encode()) for name, text in envelope.write(head).items())
        topic = ACKNOWLEDGEMENTS.of(wrong.get("topic", self.name)).name
        key = str(wrong.get("key", getattr(body, "directive_id", ""))).encode()
        return Raw(topic, 0, self.said, key, headers, wrong.get("value", value))


def read(raw: Raw) -> Message:
    """The record as the service's subscriber reads it."""
    message = to_incoming(raw)
    assert isinstance(message, Message), message
    return message
