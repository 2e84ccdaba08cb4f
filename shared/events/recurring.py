"""What may be asked about something that a law has a business repeat: no request's business."""

from typing import Annotated

from pydantic import AwareDatetime, StringConstraints

from shared.events.commands import PEOPLE, Actor
from shared.events.message import Command, command
from shared.events.topics import COMMANDS_DEADLINE


@command("dsar.deadline.record-access", version=1, topic=COMMANDS_DEADLINE, sources=PEOPLE, signed=True)
class RecordAccess(Command):
    """What a law has a business repeat was done: the state's deletion platform was accessed (Civ. Code 1798.99.86(c)).

    Its subject is not a request but the business under that law: `recurring_id`.
    """

    business: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    regime: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z0-9]+)+$", max_length=40)]
    accessed_at: AwareDatetime
    actor: Actor
