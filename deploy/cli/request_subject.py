"""Whom a request is about, for the person who has to do a task by hand: opened in memory, shown once."""

import json
from contextlib import AsyncExitStack
from uuid import UUID

from deploy.cli.request_files import refuse
from services.fulfillment.ports import NeedsPerson
from services.fulfillment.storage import FulfillmentStore
from services.fulfillment.subjects import Subjects
from shared.hosting import open_resources
from shared.private_files import KeyFileRefused
from shared.settings import Settings


async def subjects_of(settings: Settings, request_id: UUID, *, proved: bool) -> str:
    """The identifiers under which a system would look, as JSON lines."""
    async with AsyncExitStack() as stack:
        try:
            resources = await open_resources(settings, "fulfillment", stack)
        except KeyFileRefused as refusal:
            refuse("--home", str(refusal))
        subjects = Subjects(FulfillmentStore(resources.pool), resources.vault)
        wanted = await subjects.wanted(request_id, proved=proved)
    if isinstance(wanted, NeedsPerson):
        refuse("REQUEST", f"{wanted.reason}; it may be unknown here, or its key destroyed")
    return "\n".join(json.dumps(dict(subject.seeds), ensure_ascii=False) for subject in wanted.subjects)
