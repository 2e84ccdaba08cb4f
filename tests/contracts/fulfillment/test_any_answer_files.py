"""What handlers may rely on of the folder of answers, on a disk and in the simulation's memory."""

from pathlib import Path
from uuid import uuid4

import pytest

from services.fulfillment.answer_files import AnswerFiles
from tests.support.memory_files import MemoryFiles


@pytest.fixture(params=["memory", "disk"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> AnswerFiles:
    return MemoryFiles({}) if request.param == "memory" else AnswerFiles(tmp_path / "answers")


async def test_a_part_is_read_as_it_was_filed(files: AnswerFiles) -> None:
    part = uuid4()
    await files.write_part(part, b"sealed")

    assert await files.read_part(part) == b"sealed"


async def test_a_part_that_was_never_filed_is_not_there(files: AnswerFiles) -> None:
    await files.write_part(uuid4(), b"sealed")

    assert await files.read_part(uuid4()) is None


async def test_a_repeat_replaces_the_part(files: AnswerFiles) -> None:
    part = uuid4()
    await files.write_part(part, b"first")
    await files.write_part(part, b"later, and longer")

    assert await files.read_part(part) == b"later, and longer"


async def test_an_answer_is_no_part(files: AnswerFiles) -> None:
    package = uuid4()
    await files.write_package(package, b"sealed")

    assert await files.read_part(package) is None
