"""What every service states on its own journal about the commands it was given."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.events.message import Event, event
from shared.events.topics import JOURNALS


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    command_id: UUID
    command_source: str
    command_type: str


class AcceptedFields(_Answer):
    """The command was taken; its effects follow as facts of their own."""


class RefusedFields(_Answer):
    """The command moved nothing; `reason` is one of a closed set of words."""

    reason: str


def _declare(service: str) -> tuple[type[Event], type[Event]]:
    topic = JOURNALS[service]

    @event(f"dsar.{service}.command-accepted", version=1, topic=topic)
    class CommandAccepted(AcceptedFields, Event):
        """A service took a command; what it changed follows as facts of their own."""

    @event(f"dsar.{service}.command-refused", version=1, topic=topic)
    class CommandRefused(RefusedFields, Event):
        """A service refused a command; nothing moved, and `reason` says why in one word."""

    return CommandAccepted, CommandRefused


_ANSWERS = {service: _declare(service) for service in JOURNALS}


def command_answer(
    service: str, *, command_id: UUID, source: str, ce_type: str, refused: str | None
) -> Event:
    """The accepted or refused fact that answers one command."""
    accepted_type, refused_type = _ANSWERS[service]
    fields = {"command_id": command_id, "command_source": source, "command_type": ce_type}
    if refused is None:
        return accepted_type.model_validate(fields)
    return refused_type.model_validate({**fields, "reason": refused})
