"""Whom a request is about, for the person who has to do a task by hand: opened in memory, shown once."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

from deploy.cli.request_files import refuse
from services.fulfillment.ports import NeedsPerson
from services.fulfillment.storage import FulfillmentStore
from services.fulfillment.subjects import Subjects
from shared.hosting import Resources, open_resources
from shared.private_files import KeyFileRefused
from shared.settings import Settings


async def subjects_of(settings: Settings, request_id: UUID, *, proved: bool) -> str:
    """The identifiers under which a system would look, as JSON lines."""
    async with AsyncExitStack() as stack:
        try:
            resources = await open_resources(settings, "fulfillment", stack)
        except KeyFileRefused as refusal:
            refuse("--home", str(refusal))
        found = await seeds_of(resources, request_id, proved=proved)
    if not found:
        refuse("REQUEST", "it is unknown here, or its key was destroyed")
    return "\n".join(json.dumps(dict(seeds), ensure_ascii=False) for seeds in found)


async def seeds_of(resources: Resources, request_id: UUID, *, proved: bool) -> Sequence[Mapping[str, str]]:
    """The same, one mapping for each subject; none where nothing can be opened."""
    subjects = Subjects(FulfillmentStore(resources.pool), resources.vault)
    wanted = await subjects.wanted(request_id, proved=proved)
    return [] if isinstance(wanted, NeedsPerson) else [subject.seeds for subject in wanted.subjects]
