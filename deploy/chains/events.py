"""The heads that lifecycle events carry: what each service said of its own history when it spoke."""

from collections import defaultdict
from uuid import UUID

from deploy.topic_replay import lifecycle
from shared.events.envelope import Record
from shared.settings import Settings


async def stated_heads(settings: Settings) -> dict[tuple[str, UUID], set[str]]:
    """By service and request, every audit head that one of its lifecycle events names."""
    found: dict[tuple[str, UUID], set[str]] = defaultdict(set)
    async for event in lifecycle(settings):
        if isinstance(event, Record) and (head := getattr(event.body, "audit_head", "")):
            service = event.envelope.source.removeprefix("habeas/")
            found[service, event.envelope.subject].add(head)
    return found
