"""The files that would be put into a folder, with names in the place of values."""

import json
from collections.abc import Collection

from services.fulfillment.adapters.files import AGAIN, days_of_patience
from services.fulfillment.adapters.files.orders import content
from services.fulfillment.datamap.systems import System
from services.fulfillment.told.subjects import known_by, rights_told


def statements_of(system: System, kinds: Collection[str]) -> str:
    """The file for each right that the other side is told of, and how its word is waited for."""
    subjects = known_by(system, kinds)
    if not subjects:
        return "Files\n  none: it knows nobody by these\n"
    lines = ["Files"]
    for right in sorted(rights_told(system)):
        said = content(":order", right.value, subjects, ":cut_off")
        lines.append(f"  write :order.json {json.dumps(said)}")
    hours = int(AGAIN.total_seconds() // 3600)
    lines += [
        f"  look for :order.done beside it every {hours} h, for {days_of_patience(system)} days at most",
        "  remove :order.json once it is there",
    ]
    return "\n".join(lines) + "\n"
