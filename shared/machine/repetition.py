"""After a restore a service decides again what it had decided: what lies on its topics already is not said twice.

`habeas recover` counts, for each case, the events that its topics hold and the restored database does not know. The
counts lie beside the sequences that were given out; as the same facts come in again, each event that follows from
them is taken off its count instead of being sent. Times and ids differ the second time, so events are told apart by
their type and by what they are about.
"""

from collections.abc import Mapping
from typing import Any

from shared.events.deadline import RequestClosed
from shared.events.message import Event

COUNTED = "said "
ABOUT = (
    "kind",
    "command_id",
    "clock",
    "days_left",
    "system",
    "task",
    "hold_id",
    "submission_source",
    "directive_id",
    "message",
    "look",
)


def counter_of(body: Event) -> str | None:
    """Under what an event is counted; None for what has to be said again.

    A closing names its certificate by digest, and the certificate is made anew, with the chain's new end.
    """
    if isinstance(body, RequestClosed):
        return None
    fields = body.model_dump(mode="json", include={*ABOUT, "settled"})
    about = {**fields.pop("settled", {}), **fields}
    words = (f"{name}={about[name]}" for name in ABOUT if name in about)
    return COUNTED + " ".join((body.declared.ce_type, *words))


def taken_off(sent: Mapping[str, int], body: Event) -> dict[str, int] | None:
    """What was given out, with one of these events less to come again; None if it was not said yet."""
    counter = counter_of(body) if any(name.startswith(COUNTED) for name in sent) else None
    left = sent.get(counter, 0) if counter is not None else 0
    if counter is None or left == 0:
        return None
    others: dict[str, Any] = {name: value for name, value in sent.items() if name != counter}
    return {**others, counter: left - 1} if left > 1 else others
