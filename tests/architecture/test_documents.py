"""What the pages say is there: links lead somewhere, commands exist."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from deploy.cli.main import app
from tests.support.command_tree import every_command
from tests.support.sources import ROOT, tracked

PAGES = [path for path in tracked() if path.suffix == ".md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TYPED = re.compile(r"(?:`|\| |^ *\$? *|bin/)habeas ([a-z][^`\n]*)", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    return (ROOT / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    targets = [found for found in LINK.findall(FENCE.sub("", text_of(page))) if "://" not in found]

    broken = [target for target in targets if not leads_somewhere(page, target)]

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(Path("Makefile")), re.MULTILINE))

    named = set(re.findall(r"(?:`|^ *\$? *)make ([a-z]+)", text_of(page), re.MULTILINE))

    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    known = {words for one in every_command(app) for words in (one.words, one.words.split()[0])}

    named = re.findall(r"(?:`|^ *\$? *|bin/)habeas ((?:[a-z-]+ ?){1,2})", text_of(page), re.MULTILINE)

    assert [
        words for words in named if words.strip() not in known and words.split()[0] not in alone(known)
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_option_that_a_page_gives_to_a_command_is_one_of_its_own(page: Path) -> None:
    known = {one.words: one.options | {"--help"} for one in every_command(app)}

    given = [(words, option) for words, options in commands_of(page, known) for option in options]

    assert [(words, option) for words, option in given if option not in known[words]] == []


def test_the_readme_begins_with_the_two_commands() -> None:
    first = FENCE.search(text_of(Path("README.md")))

    assert first is not None
    assert re.findall(r"^make (\w+)", first.group(), re.MULTILINE) == ["run", "test"]


def test_every_decision_record_has_the_same_parts() -> None:
    records = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))

    assert len({one.name[:4] for one in records}) == len(records)
    for record in records:
        parts = re.findall(r"^\*\*(\w+)\.\*\*", record.read_text("utf-8"), re.MULTILINE)
        assert parts == ["Context", "Decision", "Consequences", "Rejected"], record.name


def commands_of(page: Path, known: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Each command that is written out on the page, and the options that it is given there."""
    for typed in TYPED.findall(text_of(page).replace("\\\n", " ")):
        first = re.split(r"[|;&>]", typed)[0]
        words = max((each for each in known if f"{first} ".startswith(f"{each} ")), key=len, default=None)
        if words is not None:
            yield words, re.findall(r"(?<=\s)--[a-z][a-z0-9-]*", first)


def alone(known: set[str]) -> set[str]:
    """Commands without a group: what follows them is an argument."""
    return {words for words in known if not any(other.startswith(f"{words} ") for other in known)}


def leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = ROOT / (meant(page, name) if name else page)
    if not file.exists():
        return False
    headings = [line for line in file.read_text("utf-8").splitlines() if line[:1] == "#"] if anchor else []
    return not anchor or anchor in {slug(line) for line in headings}


def meant(page: Path, name: str) -> Path:
    """A leading slash means the top of the repository, as forges read it."""
    return Path(name[1:]) if name.startswith("/") else page.parent / name


def slug(heading: str) -> str:
    """The anchor that a forge makes of a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower())
    return words.replace(" ", "-")
