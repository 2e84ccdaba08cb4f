"""The archive that a person collects: a page, the same as JSON and CSV, and a signed list of what is in it.

It is made piece by piece: at no time is more of it in memory than a few hundred rows of each table and one piece.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pydantic_core import to_json

from services.fulfillment.answer.document import Places, compose
from services.fulfillment.answer.page import page
from services.fulfillment.answer.survey import Records, Survey, Table
from services.fulfillment.answer.tables import as_csv, as_json_lines
from services.fulfillment.answer.words import words_of
from shared.canonical import canonical_json
from shared.privacy.claims import Language
from shared.signing import KeyRing, sign

Json = dict[str, Any]

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.jws"
MANIFEST_TYPE: Final = "habeas-answer+jws"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""A ZIP's earliest date: the same answer is the same archive, whenever it is made."""

LEVEL: Final = 1
"""Of deflate: half the time of the usual one, for files that are a tenth larger."""


def archive(
    about: Json, parts: Iterable[Records], signs: KeyRing, language: Language = "en"
) -> Iterator[bytes]:
    """All files with their manifest, whose signature anybody can check with the business's public key.

    The pieces come as they are made; empty ones say only that the work goes on.
    """
    surveys = [Survey(records) for records in parts]
    for survey in surveys:
        for _ in survey.look():
            yield b""
        survey.speak(language)
    zipping = _Zipping()
    for name, content, is_large in _files(about, surveys, language):
        yield from zipping.file(name, content, is_large=is_large)
    listed = {name: about[name] for name in ("format", "request_id", "composed_at")}
    manifest = canonical_json({**listed, "files": dict(sorted(zipping.digests.items()))})
    yield from zipping.file(MANIFEST, [manifest])
    yield from zipping.file(SIGNATURE, [sign(manifest, MANIFEST_TYPE, signs).encode()])
    yield zipping.end()


def _files(
    about: Json, surveys: Sequence[Survey], language: Language
) -> Iterator[tuple[str, Iterable[bytes], bool]]:
    places, words = _places(surveys), words_of(language)
    document = {**about, "language": language, **compose(surveys, places, words)}
    yield "index.html", [page(document, surveys, places, words)], False
    yield "answer.json", [to_json(document, indent=1)], False
    for survey in surveys:
        for table in survey.tables.values():
            for name in places[survey.system, table.dataset]:
                yield name, _content(survey, table, name), table.is_large


def _content(survey: Survey, table: Table, name: str) -> Iterator[bytes]:
    """A file of a table; what was kept of a small one need not be read again."""
    rows = survey.rows(table.dataset) if table.is_large else iter([table.first])
    return as_csv(list(table.columns), rows) if name.endswith(".csv") else as_json_lines(rows)


def _places(surveys: Iterable[Survey]) -> Places:
    """Where each table's rows lie: names of systems and tables that are no safe file names become numbers."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for i, survey in enumerate(surveys, 1):
        for j, table in enumerate(survey.tables.values(), 1):
            place = f"data/{_safe(survey.system, i)}/{_safe(table.dataset, j)}"
            endings = (".csv", ".jsonl") if table.is_large else (".csv",) if table.count else ()
            found[survey.system, table.dataset] = tuple(f"{place}{ending}" for ending in endings)
    return found


def _safe(name: str, number: int) -> str:
    kept = "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "_" for each in name)
    return kept if kept == name else f"{number}-{kept}"


@dataclass(slots=True)
class _Out:
    """Where a ZIP is written that nobody can go back in."""

    ready: bytearray = field(default_factory=bytearray)

    def write(self, content: bytes, /) -> int:
        self.ready += content
        return len(content)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Nothing is held open."""

    def take(self) -> bytes:
        content = bytes(self.ready)
        self.ready.clear()
        return content


class _Zipping:
    """Writes file after file, and remembers each one's digest."""

    def __init__(self) -> None:
        self._out = _Out()
        self._zip = ZipFile(self._out, "w")
        self.digests: dict[str, str] = {}

    def file(self, name: str, content: Iterable[bytes], *, is_large: bool = False) -> Iterator[bytes]:
        entry = ZipInfo(name, EPOCH)
        entry.compress_type = ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        entry._compresslevel = LEVEL  # type: ignore[attr-defined]  # noqa: SLF001 - public from Python 3.13 on
        digest = sha256()
        with self._zip.open(entry, "w", force_zip64=is_large) as file:
            for piece in content:
                digest.update(piece)
                file.write(piece)
                yield self._out.take()
        self.digests[name] = digest.hexdigest()
        yield self._out.take()

    def end(self) -> bytes:
        self._zip.close()
        return self._out.take()
