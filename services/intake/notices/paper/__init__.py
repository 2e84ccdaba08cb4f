"""A notice as a letter on paper: a tagged PDF (PDF/UA-1), which a screen reader reads in order and in its language."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from services.intake.domain import Letter
from services.intake.notices.texts import Addressed, Texts
from services.intake.notices.wording import wording

TEMPLATE: Final = Path(__file__).parent / "letter.typ"


def paper(texts: Texts, letter: Letter, to: Addressed) -> bytes:
    """The letter, ready to be printed. Takes a twentieth of a second of processor time: call it in a thread."""
    import typst

    made = typst.compile(
        _template(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"letter": json.dumps(content(texts, letter, to))},
        pdf_standards="ua-1",
    )
    return bytes(made)


def content(texts: Texts, letter: Letter, to: Addressed) -> dict[str, Any]:
    """What stands on it; the template only says where."""
    words = wording(to.language)
    return {
        "title": words.subjects[letter.kind],
        "business": texts.business(letter.business).name,
        "day": words.day(to.at.date()),
        "language": to.language,
        "to": list(to.lines),
        "blocks": list(_blocks(texts.paragraphs(letter, to))),
    }


@cache
def _template() -> bytes:
    return TEMPLATE.read_bytes()


def _blocks(paragraphs: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Running text, lists, and what must be copied as it stands."""
    for paragraph in paragraphs:
        for kind, lines in groupby(paragraph.splitlines(), _kind):
            if kind == "list":
                yield {"kind": kind, "items": [line.removeprefix("- ").strip() for line in lines]}
            else:
                yield {"kind": kind, "text": " ".join(line.strip() for line in lines)}


def _kind(line: str) -> str:
    if line.startswith("- "):
        return "list"
    return "code" if line.startswith("    ") else "text"
