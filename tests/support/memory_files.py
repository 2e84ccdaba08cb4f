"""The folder of answers without a disk: proven equal to it by tests/contracts/fulfillment."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import UUID

from services.fulfillment.answer_files import AnswerFiles, Writing

T = TypeVar("T")


class MemoryFiles(AnswerFiles):
    """Parts and answers in dictionaries; `parts` may be shared by several processes."""

    def __init__(self, parts: dict[UUID, bytes]) -> None:
        super().__init__(Path("nowhere"))
        self._kept = parts
        self._answers: dict[UUID, bytes] = {}

    @staticmethod
    async def aside(work: Callable[[], T], /) -> T:
        return work()

    def part(self, part_id: UUID) -> AbstractAsyncContextManager[Writing]:
        return _writing(self._kept, part_id)

    def package(self, package_id: UUID) -> AbstractAsyncContextManager[Writing]:
        return _writing(self._answers, package_id)

    def read_part(self, part_id: UUID) -> BinaryIO | None:
        found = self._kept.get(part_id)
        return None if found is None else io.BytesIO(found)


@asynccontextmanager
async def _writing(kept: dict[UUID, bytes], file_id: UUID) -> AsyncIterator[Writing]:
    file = io.BytesIO()
    writing = Writing(file, MemoryFiles.aside)
    yield writing
    if writing.kept:
        kept[file_id] = file.getvalue()
