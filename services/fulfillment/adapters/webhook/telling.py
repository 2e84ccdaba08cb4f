"""The message that a webhook would be sent, with names in the place of values."""

import json
from collections.abc import Collection

from services.fulfillment.datamap.systems import System
from services.fulfillment.told.subjects import known_by, rights_told


def statements_of(system: System, kinds: Collection[str]) -> str:
    """The message for each right that it is told of."""
    subjects = known_by(system, kinds)
    if not subjects:
        return "Requests\n  none: it knows nobody by these\n"
    lines = ["Each request has webhook-id, webhook-timestamp, webhook-signature (signing)", "", "Requests"]
    for right in sorted(rights_told(system)):
        data = {"right": right.value, "subjects": subjects, "collected_until": ":cut_off"}
        message = {"type": f"privacy.request.{right.value}", "timestamp": ":now", "data": data}
        lines.append(f"  POST {json.dumps(message)}")
    return "\n".join(lines) + "\n"
