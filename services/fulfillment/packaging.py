"""The package task: the systems' parts become one answer, sealed under the request's key and filed."""

import json
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.fulfillment import results
from services.fulfillment.answer.archive import archive
from services.fulfillment.answer.document import compose
from services.fulfillment.answer_files import AnswerFiles, package_id_of
from shared.clock import Clock
from shared.events.fulfillment import PackageReference
from shared.signing import KeyRing
from shared.tasks.work import Answer, Calling, Claimed, Finished
from shared.vault.vault import Vault

Json = dict[str, Any]
FORMAT = "habeas-answer/1"


class PackageHandler:
    """Composes one archive that a person can read and a machine can check."""

    def __init__(self, sealing: tuple[Vault, AnswerFiles], signs: KeyRing, clock: Clock) -> None:
        self._vault, self._files = sealing
        self._signs = signs
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Open the parts, compose, seal, file; a repeat makes a file of its own."""
        del calling
        await self._vault.prefetch([task.request_id])
        parts = [await self._part(task.request_id, UUID(part["part_id"])) for part in task.body["parts"]]
        exports = [part for part in parts if part is not None]
        if len(exports) < len(parts):
            return results.person("schema", "a part of the answer is missing in the packages folder")
        about = {
            "format": FORMAT,
            "request_id": str(task.request_id),
            "business": task.body["business"],
            "right": task.body["right"],
            "composed_at": self._clock.now().isoformat(),
        }
        return await self._file(task, archive({**about, **compose(exports)}, exports, self._signs))

    async def _part(self, request_id: UUID, part_id: UUID) -> Json | None:
        sealed = await self._files.read_part(part_id)
        if sealed is None:
            return None
        plain = self._vault.open(request_id, part_id, "export", sealed.decode())
        export: Json = json.loads(plain)
        return export

    async def _file(self, task: Claimed, content: bytes) -> Answer:
        package_id = package_id_of(task.task_id, task.epoch)
        sealed = self._vault.seal(task.request_id, package_id, "package", content).encode()
        await self._files.write_package(package_id, sealed)
        digest = sha256(sealed).hexdigest()
        reference = PackageReference(package_id=package_id, sha256=digest, size=len(sealed))
        return Finished("done", {"package": reference.model_dump(mode="json")})
