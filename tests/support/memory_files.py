"""The folder of answers without a disk: proven equal to it by tests/contracts/fulfillment."""

from pathlib import Path
from uuid import UUID

from services.fulfillment.answer_files import AnswerFiles


class MemoryFiles(AnswerFiles):
    """Parts and answers in dictionaries; `parts` may be shared by several processes."""

    def __init__(self, parts: dict[UUID, bytes]) -> None:
        super().__init__(Path("nowhere"))
        self._kept = parts
        self._answers: dict[UUID, bytes] = {}

    async def write_part(self, part_id: UUID, sealed: bytes) -> None:
        self._kept[part_id] = sealed

    async def write_package(self, package_id: UUID, sealed: bytes) -> None:
        self._answers[package_id] = sealed

    async def read_part(self, part_id: UUID) -> bytes | None:
        return self._kept.get(part_id)
