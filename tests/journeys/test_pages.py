"""What the pages on holds and on the time after a deletion tell people to type, typed word for word on a running stack.

Only what the pages leave open is filled in: the request, the system, the hold's id, the list of people.
"""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.cascadia.people import Person
from tests.support.requester import Requester, ask
from tests.support.running import Running, environment
from tests.support.town import has_everything

pytestmark = pytest.mark.connected
SYSTEM = "cascadia-crm"
PAGES = {name: Path("docs", name).read_text("utf-8") for name in ("holds.md", "after-deletion.md")}


def typed_on(page: str) -> list[str]:
    """The page's blocks of commands, one after the other."""
    found = re.findall(r"^(?: {4}.+\n)+", PAGES[page], re.MULTILINE)
    return [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in found]


class Terminal:
    """A shell in a folder of its own, told where the services answer as an operator's would be."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            **environment(running.installation),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HABEAS_FULFILLMENT_URL": running.services.url("fulfillment"),
            "HABEAS_DEADLINE_URL": running.services.url("deadline"),
            "HABEAS_ACTOR": "counsel",
        }

    async def types(self, words: str) -> tuple[int, str]:
        """The exit code, and all that it says."""
        shell = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", words, cwd=self.folder, env=self._environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await shell.communicate()
        assert shell.returncode is not None
        return shell.returncode, said.decode()


@pytest.fixture
def terminal(running: Running, tmp_path: Path) -> Terminal:
    return Terminal(running, tmp_path)


async def deleted(running: Running) -> tuple[Requester, Person]:
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "delete", proof="code")
    await requester.prove()
    await requester.closed(within=120)
    return requester, person


async def test_the_page_on_holds(terminal: Terminal) -> None:
    (block,) = typed_on("holds.md")
    place, listing, release = block.replace("\\\n", " ").splitlines()

    placed = await terminal.types(place)
    listed = await terminal.types(listing)
    hold = re.search(r"^([0-9a-f-]{36})  cascadia  person", listed[1], re.MULTILINE)
    assert hold is not None, listed
    released = await terminal.types(release.replace("0b1d…", hold[1]))

    assert [code for code, _ in (placed, listed, released)] == [0, 0, 0], (placed, listed, released)
    assert hold[1] in placed[1]
    assert "litigation 24-118 (LEGAL-9)" in listed[1]
    assert await terminal.types(listing) == (0, "no hold stands\n")
    assert "ana@example.com" not in placed[1] + listed[1] + released[1]


async def test_the_page_on_what_comes_after_a_deletion(running: Running, terminal: Terminal) -> None:
    addenda, replay, asking, lift = typed_on("after-deletion.md")
    requester, person = await deleted(running)
    request = str(requester.request_id)
    for name in ("people.txt", "to-be-asked.txt"):
        (terminal.folder / name).write_text(f"{person.email}\n")
    check = "habeas suppression check --business cascadia people.txt"
    assert f"`{check}`" in PAGES["after-deletion.md"]

    attested = await terminal.types(addenda.replace("REQUEST", request))
    replayed = await terminal.types(replay.replace("SYSTEM", SYSTEM))
    suppressed = await terminal.types(check)
    may_ask = await terminal.types(asking)
    lifted = await terminal.types(lift.replace("REQUEST", request))

    assert attested[0] == 0, attested
    assert (replayed[0], replayed[1]) == (0, f"{SYSTEM}: 0 deleted people were there again, 0 rows went\n")
    assert suppressed[0] == 1, suppressed
    assert may_ask[0] == 0, may_ask
    assert lifted[0] == 0, lifted
    assert (await terminal.types(check))[0] == 0
    said = "".join(words for _, words in (attested, replayed, suppressed, may_ask, lifted))
    assert person.email not in said
