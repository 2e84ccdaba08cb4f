"""The heads that lifecycle events carry: what each service said of its own history when it spoke."""

from collections.abc import Callable

from deploy.chains.scratch import Scratch
from deploy.topic_replay import lifecycle
from shared.events.envelope import Record
from shared.settings import Settings


async def add_stated_heads(
    settings: Settings, scratch: Scratch, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Take in every audit head that a lifecycle event names; `progress` hears how many events were read."""
    count = 0
    async for event in lifecycle(settings):
        progress(count := count + 1)
        if isinstance(event, Record) and (head := getattr(event.body, "audit_head", "")):
            service = event.envelope.source.removeprefix("habeas/")
            scratch.add_stated(service, event.envelope.subject, head)
