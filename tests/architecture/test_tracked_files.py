"""What must never be committed: addresses of registries, paths of one machine, things left to do, blank excuses."""

import re
from pathlib import Path

import pytest

from tests.support.sources import ROOT, tracked

# Brackets keep this file from finding itself.
REGISTRIES = re.compile(
    r"p[y]pi\.org|p[y]thonhosted|r[e]gistry\.npmjs|r[e]po1?\.maven|m[a]ven\.apache\.org/maven2|d[e]b\.debian\.org"
)
MACHINES = re.compile(rf"{re.escape(str(ROOT))}\b|/home/[a-z]\w+/|/Users/[A-Za-z]\w+/|[ \"'(=]/r[o]ot/\w")
LEFT_TO_DO = re.compile(r"#\s*(T[O]DO|F[I]XME|X[X]X)\b")
EXCUSES = re.compile(r"#\s*n[o]qa\s*$|#\s*n[o]qa:[ A-Z0-9,]+$|type:\s*i[g]nore\s*$|p[r]agma: no cover")


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            found.append((path, content.decode("utf-8")))
    return found


def hits(path: Path, text: str, pattern: re.Pattern[str]) -> list[str]:
    return [f"{path}:{number}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]


@pytest.mark.parametrize(
    "pattern",
    [REGISTRIES, MACHINES, LEFT_TO_DO],
    ids=["addresses of registries", "paths of one machine", "things left to do"],
)
def test_no_committed_file_holds(pattern: re.Pattern[str]) -> None:
    found = [place for path, text in texts() for place in hits(path, text, pattern)]

    assert found == []


def test_every_silenced_rule_says_which_and_why() -> None:
    found = [place for path, text in texts() if path.suffix == ".py" for place in hits(path, text, EXCUSES)]

    assert found == []


def test_generated_and_local_things_are_not_committed() -> None:
    strays = [path for path in tracked() if {".habeas", ".venv", "__pycache__", "dist"} & set(path.parts)]

    assert strays == []


def test_secrets_and_keys_are_not_committed() -> None:
    private = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\"d\":\s*\"[\w-]{40,}\"")

    assert [str(path) for path, text in texts() if private.search(text)] == []
