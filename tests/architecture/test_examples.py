"""What vendors copy is short, and needs nothing of ours."""

import ast
from pathlib import Path

import pytest

from tests.support.sources import ROOT

EXAMPLES = ROOT / "examples" / "vendor"
OURS = {"services", "shared", "deploy", "tests", "bench"}


@pytest.mark.parametrize("name", ["vendor.py", "vendor.sh"])
def test_a_whole_vendor_is_under_a_hundred_lines(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) < 100


def test_the_vendor_in_python_imports_the_standard_library_and_two_public_packages() -> None:
    assert _imported(EXAMPLES / "vendor.py") & (OURS | {"habeas"}) == set()
    assert _imported(EXAMPLES / "vendor.py") >= {"aiokafka", "joserfc"}


def _imported(file: Path) -> set[str]:
    found = ast.walk(ast.parse(file.read_text()))
    names = [
        name
        for node in found
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return {name.partition(".")[0] for name in names}
