"""Records of a state topic: what holds of a key from now on, in the place of all that was said of it before.

They name no request: what is kept for ever under a person's hash must not lead to what that person asked.
"""

from datetime import date, datetime
from typing import Final

from shared.ids import new_id
from shared.machine.decision import Outgoing
from shared.machine.ports import OutboxRow

# One partition of the outbox for all of them, so that records of one key stay in their order whatever the month.
STATE_MONTH: Final = date(1970, 1, 1)


def state_row(outgoing: Outgoing, service: str, now: datetime) -> OutboxRow:
    """The row of one such record; what is over has no value."""
    ce_type = outgoing.body.declared.ce_type
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_source": f"habeas/{service}",
        "ce_type": ce_type,
        "ce_subject": outgoing.key,
        "ce_time": now.isoformat(),
        "ce_dataschema": f"urn:habeas:schema:{ce_type}",
        "content-type": "application/json",
    }
    value = b"" if outgoing.over else outgoing.body.model_dump_json().encode()
    return OutboxRow(outgoing.topic, outgoing.key, headers, value, STATE_MONTH)
