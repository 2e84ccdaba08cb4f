"""Whether an acknowledgement is its vendor's: checked before the rules hear it, over the record's exact bytes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.fulfillment.vendors.files import OverKafka, Vendor
from shared.events.topics import ACKNOWLEDGEMENTS
from shared.keyfiles import KeyFiles
from shared.machine.decision import Message
from shared.private_files import KeyFileRefused
from shared.signing import CommandIdentity, verify_command


class Acknowledging:
    """Verifies signatures; a vendor whose file says so is known by its topic's access rights instead."""

    def __init__(self, vendors: Iterable[Vendor], keys: KeyFiles) -> None:
        told = ((one.vendor, one.told) for one in vendors)
        self._signs: Mapping[str, bool] = {
            name: how.answers.signed for name, how in told if isinstance(how, OverKafka)
        }
        self._keys = keys

    async def prepare(self, messages: Sequence[Message]) -> Sequence[Any]:
        """For each acknowledgement whether it is genuine; nothing for what else is heard.

        Claims are kept sealed, and opened by the task that needs them.
        """
        return [self._genuine(message) for message in messages]

    def _genuine(self, message: Message) -> bool | None:
        vendor = ACKNOWLEDGEMENTS.vendor_in(message.topic)
        if vendor is None:
            return None
        return not self._signs.get(vendor, True) or self._is_signed(message, vendor)

    def _is_signed(self, message: Message, vendor: str) -> bool:
        if message.signature is None or message.raw is None:
            return False
        try:
            # Read anew each time, so that a key that the vendor changed counts at once.
            keys = self._keys.vendor(vendor).signs
        except KeyFileRefused:
            return False
        identity = CommandIdentity(
            source=message.source,
            id=str(message.id),
            type=message.ce_type,
            subject=str(message.request_id),
            actor="",
        )
        return verify_command(message.signature, message.raw.value, identity, keys) is None
