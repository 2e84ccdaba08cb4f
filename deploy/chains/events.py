"""The heads that lifecycle events carry: what each service said of its own history when it spoke."""

from deploy.chains.scratch import Scratch
from deploy.topic_replay import lifecycle
from shared.events.envelope import Record
from shared.settings import Settings


async def add_stated_heads(settings: Settings, scratch: Scratch) -> None:
    """Take in every audit head that a lifecycle event names."""
    async for event in lifecycle(settings):
        if isinstance(event, Record) and (head := getattr(event.body, "audit_head", "")):
            service = event.envelope.source.removeprefix("habeas/")
            scratch.add_stated(service, event.envelope.subject, head)
