"""docs/faults.md names a test for each fault, each of those tests exists, and no fault test is left out."""

import ast
import re
from collections.abc import Iterator

from tests.support.sources import ROOT

PAGE = (ROOT / "docs/faults.md").read_text("utf-8")
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_\w+)`")
NUMBERED = re.compile(r"^\| (\d+) \|(.*)$", re.MULTILINE)
TWENTY = list(range(1, 21))


def named_in(file: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def test_every_test_that_the_page_names_exists() -> None:
    named = NAMED.findall(PAGE)

    assert len(named) > len(TWENTY)
    assert [one for one in named if one[1] not in set(named_in(one[0]))] == []


def test_each_of_the_twenty_faults_has_a_test() -> None:
    rows = NUMBERED.findall(PAGE)

    assert [int(number) for number, _ in rows] == TWENTY
    assert [number for number, row in rows if not NAMED.search(row) and "the same" not in row] == []


def test_no_fault_test_is_left_out_of_the_page() -> None:
    named = set(NAMED.findall(PAGE))
    files = sorted(file.relative_to(ROOT).as_posix() for file in (ROOT / "tests/faults").glob("test_*.py"))

    assert {(file, name) for file in files for name in named_in(file)} - named == set()
