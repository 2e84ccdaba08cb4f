"""One round of work for all who ask while another one runs; it belongs to none of them."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

from shared.gathering import Gathering

WHOSE: ContextVar[str] = ContextVar("whose", default="nobody's")


async def test_work_for_all_is_done_in_the_name_of_none_of_them() -> None:
    async def work(asked: Sequence[int]) -> Sequence[str]:
        return [WHOSE.get()] * len(asked)

    gathering: Gathering[int, str] = Gathering(work, most=1)

    async def asks(name: str) -> str:
        WHOSE.set(name)
        return await gathering.submit(1)

    assert list(await asyncio.gather(asks("first"), asks("second"))) == ["nobody's", "nobody's"]
    assert WHOSE.get() == "nobody's"
