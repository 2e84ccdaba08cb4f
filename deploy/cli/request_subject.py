"""Whom a request is about, for the person who has to do a task by hand: opened in memory, shown once."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

from deploy.cli.request_files import refuse
from services.fulfillment.ports import NeedsPerson
from services.fulfillment.storage import FulfillmentStore
from services.fulfillment.subjects import Subjects
from shared.hosting import Resources, open_resources
from shared.privacy.claims import Correction
from shared.private_files import KeyFileRefused
from shared.settings import Settings


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """Who it is, and what of theirs is wrong."""

    seeds: Sequence[Mapping[str, str]]
    corrections: Sequence[Correction]


async def subjects_of(settings: Settings, request_id: UUID, *, proved: bool) -> str:
    """The identifiers under which a system would look, and what is to be corrected, as JSON lines."""
    async with AsyncExitStack() as stack:
        try:
            resources = await open_resources(settings, "fulfillment", stack)
        except KeyFileRefused as refusal:
            refuse("--home", str(refusal))
        found = await known_of(resources, request_id, proved=proved)
    if not found.seeds:
        refuse("REQUEST", "it is unknown here, or its key was destroyed")
    lines = [json.dumps(dict(seeds), ensure_ascii=False) for seeds in found.seeds]
    wrong = [one.model_dump() for one in found.corrections]
    return "\n".join([*lines, *([json.dumps({"corrections": wrong}, ensure_ascii=False)] if wrong else [])])


def shown_subjects(lines: str, *, as_json: bool) -> str:
    """The same lines, or one JSON array of them."""
    return f"[{', '.join(lines.splitlines())}]" if as_json else lines


async def seeds_of(resources: Resources, request_id: UUID, *, proved: bool) -> Sequence[Mapping[str, str]]:
    """The same, one mapping for each subject; none where nothing can be opened."""
    return (await known_of(resources, request_id, proved=proved)).seeds


async def known_of(resources: Resources, request_id: UUID, *, proved: bool) -> Known:
    """Whom a request is about, and what is wrong; nobody where nothing can be opened."""
    subjects = Subjects(FulfillmentStore(resources.pool), resources.vault)
    wanted = await subjects.wanted(request_id, proved=proved)
    if isinstance(wanted, NeedsPerson):
        return Known((), ())
    return Known([subject.seeds for subject in wanted.subjects], wanted.corrections)
