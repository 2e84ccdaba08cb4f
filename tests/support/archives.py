"""An answer's archive, opened."""

import io
import json
from typing import Any
from zipfile import ZipFile


def files_of(content: bytes) -> dict[str, bytes]:
    """Every file of the archive by its name."""
    with ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def document_of(content: bytes) -> dict[str, Any]:
    """The whole answer as a program reads it."""
    found: dict[str, Any] = json.loads(files_of(content)["answer.json"])
    return found


def text_of(content: bytes) -> str:
    """All files one after the other, to be searched."""
    return "\n".join(file.decode() for file in files_of(content).values())
