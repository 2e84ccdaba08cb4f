"""What handlers may rely on of the folder of answers, on a disk and in the simulation's memory."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.fulfillment.answer_files import AnswerFiles, Writing
from tests.support.memory_files import MemoryFiles


@pytest.fixture(params=["memory", "disk"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> AnswerFiles:
    return MemoryFiles({}) if request.param == "memory" else AnswerFiles(tmp_path / "answers")


async def write(
    place: AbstractAsyncContextManager[Writing],
    content: bytes,
    *,
    kept: bool = True,
    trouble: Exception | None = None,
) -> None:
    async with place as writing:
        writing.file.write(content)
        writing.kept = kept
        if trouble is not None:
            raise trouble


def read(files: AnswerFiles, part_id: UUID) -> bytes | None:
    file = files.read_part(part_id)
    if file is None:
        return None
    with file:
        return file.read()


async def test_a_part_is_read_as_it_was_filed(files: AnswerFiles) -> None:
    part = uuid4()
    await write(files.part(part), b"sealed")

    assert read(files, part) == b"sealed"


async def test_a_part_that_was_never_filed_is_not_there(files: AnswerFiles) -> None:
    await write(files.part(uuid4()), b"sealed")

    assert read(files, uuid4()) is None


async def test_a_repeat_replaces_the_part(files: AnswerFiles) -> None:
    part = uuid4()
    await write(files.part(part), b"first")
    await write(files.part(part), b"later, and longer")

    assert read(files, part) == b"later, and longer"


async def test_what_was_not_finished_leaves_the_part_that_was_there(files: AnswerFiles) -> None:
    part = uuid4()
    await write(files.part(part), b"first")
    await write(files.part(part), b"half of", kept=False)
    with pytest.raises(OSError, match="full"):
        await write(files.part(part), b"all of it", trouble=OSError("the disk is full"))

    assert read(files, part) == b"first"


async def test_an_answer_is_no_part(files: AnswerFiles) -> None:
    package = uuid4()
    await write(files.package(package), b"sealed")

    assert read(files, package) is None
