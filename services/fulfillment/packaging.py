"""The package task: the systems' parts become one answer, sealed under the request's key and filed, piece by piece."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, Final
from uuid import UUID

from services.fulfillment import results
from services.fulfillment.answer.archive import archive
from services.fulfillment.answer_files import AnswerFiles, Aside, package_id_of
from services.fulfillment.answer_parts import lines_of
from services.fulfillment.answer_seal import SealedAs, SealedWriter, records
from services.fulfillment.subjects import Subjects
from shared.clock import Clock
from shared.events.fulfillment import PackageReference
from shared.privacy import Claims
from shared.signing import KeyRing
from shared.tasks.work import Answer, Calling, Claimed, Finished
from shared.vault.vault import Vault

Json = dict[str, Any]
FORMAT = "habeas-answer/2"
AT_ONCE: Final = 50
"""Pieces that are made before others get their turn, and before the key is looked at again."""


class PackageHandler:
    """Composes one archive that a person can read and a machine can check."""

    def __init__(
        self, subjects: Subjects, sealing: tuple[Vault, AnswerFiles], signs: KeyRing, clock: Clock
    ) -> None:
        self._subjects = subjects
        self._vault, self._files = sealing
        self._signs = signs
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Open the parts, compose, seal, file; a repeat makes a file of its own."""
        del calling
        claims = await self._subjects.claims(task.request_id)
        async with AsyncExitStack() as stack:
            parts: list[Any] = []
            for part in task.body["parts"]:
                file = self._files.read_part(UUID(part["part_id"]))
                if file is None:
                    return results.person("schema", "a part of the answer is missing in the packages folder")
                stack.callback(file.close)
                about = SealedAs(self._vault, task.request_id, UUID(part["part_id"]), "export")
                parts.append(partial(_records, file, about))
            language = (claims and claims.language) or "en"
            pieces = archive(self._about(task, claims), parts, self._signs, language)
            return await self._filed(task, pieces)

    def _about(self, task: Claimed, claims: Claims | None) -> Json:
        first, last = (claims.collected_from, claims.collected_to) if claims else (None, None)
        return {
            "format": FORMAT,
            "request_id": str(task.request_id),
            "business": task.body["business"],
            "right": task.body["right"],
            "composed_at": self._clock.now().isoformat(),
            "covers": {"first": first and first.isoformat(), "last": last and last.isoformat()},
        }

    async def _filed(self, task: Claimed, pieces: Iterator[bytes]) -> Answer:
        package_id = package_id_of(task.task_id, task.epoch)
        about = SealedAs(self._vault, task.request_id, package_id, "package")
        async with self._files.package(package_id) as writing:
            sealed = SealedWriter(about, writing)
            async for content in _by_turns(pieces, about, self._files.aside):
                await sealed.write(content)
                await task.goes_on()
            await sealed.end()
        digest = sealed.digest.hexdigest()
        reference = PackageReference(package_id=package_id, sha256=digest, size=sealed.size)
        return Finished("done", {"package": reference.model_dump(mode="json")})


async def _by_turns(pieces: Iterator[bytes], about: SealedAs, aside: Aside) -> AsyncIterator[bytes]:
    """What an iterator makes beside everything else that runs here; the key stays open meanwhile."""
    while True:
        await about.ready()
        some = await aside(lambda: list(islice(pieces, AT_ONCE)))
        yield b"".join(some)
        if len(some) < AT_ONCE:
            return


def _records(file: BinaryIO, about: SealedAs) -> Iterator[Json]:
    for record in records(file, about):
        is_older = "rows" not in record and any("rows" in data for data in record["datasets"])
        yield from lines_of(record) if is_older else (record,)
