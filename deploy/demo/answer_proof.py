"""The proof about answers: what people collected is as it was signed, and each got their own."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from deploy.cli.evidence_views import public_keys
from deploy.demo.plan import Ask
from deploy.demo.world import World
from services.fulfillment.answer.checking import check_archive
from shared.private_files import write_private


def what_was_collected(
    world: World, receipts: Mapping[UUID, Ask[Any]], answers: Mapping[UUID, bytes]
) -> Iterator[str]:
    """Whatever is wrong with an answer, for every answer."""
    folder = world.settings.home / "collected"
    folder.mkdir(mode=0o700, exist_ok=True)
    keys = public_keys(world.settings.keys / "public" / "answers.jwks.json")
    emails = {ask.person.email for ask in receipts.values()}
    for request_id, content in answers.items():
        file = folder / f"{request_id}.zip"
        write_private(file, content)
        found = check_archive(file, keys)
        if not found.genuine or found.manifest is None or found.manifest.request_id != str(request_id):
            yield f"request {request_id}: the answer that was collected is not as it was signed"
        named = _named(content, emails)
        # None at all is right for somebody who gave their address more than twelve months ago.
        if named - {receipts[request_id].person.email}:
            yield f"request {request_id}: the answer names {len(named)} of those who asked, and not its own alone"


def _named(content: bytes, emails: set[str]) -> set[str]:
    """Whose addresses stand in the data of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".json"))
    return {email for email in emails if email.encode() in told}
