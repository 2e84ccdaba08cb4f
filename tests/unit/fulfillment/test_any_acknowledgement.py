"""Whatever two vendors say, in whatever order and however often: the request ends once, when both have done it."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.fulfillment.domain import FulfillmentCase
from tests.support.vendor_at_work import VendorAtWork
from tests.support.vendor_board import VendorBoard
from tests.support.vendors import classed

NAMES = ("acme-mail", "post-house")
WORDS = ("received", "completed", "refused")
SAYING = st.tuples(st.sampled_from(NAMES), st.sampled_from(WORDS), st.sampled_from(NAMES), st.booleans())
ENDED = {"done", "nothing"}


class Two:
    """A deletion that both were told of."""

    def __init__(self, folder: Path) -> None:
        self.board = VendorBoard(folder, [classed("third_party", vendor=name) for name in NAMES])
        self.vendors = {NAMES[0]: self.board.vendor, NAMES[1]: VendorAtWork(NAMES[1])}
        self.vendors[NAMES[1]].publish(self.board.folder)

    async def begin(self) -> None:
        await self.board.ask()
        for name in NAMES:
            await self.board.board.run(f"act:{name}:delete")
        self.ids = {one.vendor: one.directive_id for one in self.board.directives}

    async def hear(self, by: str, word: str, about: str, *, genuine: bool) -> str | None:
        body: Any = getattr(self.board, word)(self.ids[about])
        wrong: dict[str, Any] = {} if genuine else {"signature": None}
        return await self.board.says(body, by=self.vendors[by], **wrong)


def model(said: list[tuple[str, str, str, bool]]) -> dict[str, set[str]]:
    """What counts of it: what is genuine and its own, the receipt first, and nothing after it is done."""
    counted: dict[str, set[str]] = {name: set() for name in NAMES}
    for by, word, about, genuine in said:
        mine = counted[by]
        if all("completed" in one for one in counted.values()):
            break
        allowed = {
            "received": not mine,
            "completed": "received" in mine and "completed" not in mine,
            "refused": "received" in mine and not mine & {"completed", "refused"},
        }
        if genuine and by == about and allowed[word]:
            mine.add(word)
    return counted


@settings(max_examples=40, deadline=None)
@given(said=st.lists(SAYING, max_size=14))
def test_any_words_of_two_vendors(said: list[tuple[str, str, str, bool]]) -> None:
    asyncio.run(_any_words(said))


async def _any_words(said: list[tuple[str, str, str, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        two = Two(Path(folder))
        await two.begin()
        for by, word, about, genuine in said:
            before: FulfillmentCase = two.board.board.case
            reason = await two.hear(by, word, about, genuine=genuine)
            assert (two.board.board.case == before) == (reason is not None)
            await _settle(two)

        done = {name for name, words in model(said).items() if "completed" in words}
        assert [one.resolution for one in two.board.fulfilled] == (["complete"] if done == set(NAMES) else [])
        settled = {one.system for one in two.board.board.case.outcomes if one.outcome in ENDED}
        assert settled == done
        assert len(two.board.directives) == 2


async def _settle(two: Two) -> None:
    """Run what a word made due: the wait that it ended."""
    for name in NAMES:
        directive = two.board.board.case.directive_to(name)
        if directive is not None and directive.settled:
            await two.board.board.run(f"await:{name}:delete:1")
