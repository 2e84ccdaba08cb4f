"""The archive that a person collects: a page, the same as JSON and CSV, and a signed list of what is in it."""

import io
import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from services.fulfillment.answer.page import page
from services.fulfillment.answer.tables import as_csv
from shared.canonical import canonical_json
from shared.signing import KeyRing, sign

Json = dict[str, Any]

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.jws"
MANIFEST_TYPE: Final = "habeas-answer+jws"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""A ZIP's earliest date: the same answer is the same archive, whenever it is made."""


def archive(document: Json, exports: Sequence[Json], signs: KeyRing) -> bytes:
    """All files with their manifest, whose signature anybody can check with the business's public key."""
    files = dict(_files(document, exports))
    manifest = canonical_json(
        {
            "format": document["format"],
            "request_id": document["request_id"],
            "composed_at": document["composed_at"],
            "files": {name: sha256(content).hexdigest() for name, content in sorted(files.items())},
        }
    )
    signature = sign(manifest, MANIFEST_TYPE, signs).encode()
    return _zipped({**files, MANIFEST: manifest, SIGNATURE: signature})


def _files(document: Json, exports: Sequence[Json]) -> Iterator[tuple[str, bytes]]:
    places = _places(exports)
    yield "index.html", page(document, exports, places)
    yield "answer.json", json.dumps(document, ensure_ascii=False, indent=1).encode()
    for export in exports:
        for data in export["datasets"]:
            if data["rows"]:
                yield places[export["system"], data["dataset"]], as_csv(data)


def _places(exports: Sequence[Json]) -> dict[tuple[str, str], str]:
    """Where each table's rows lie: names of systems and tables that are no safe file names become numbers."""
    return {
        (
            export["system"],
            data["dataset"],
        ): f"data/{_safe(export['system'], i)}/{_safe(data['dataset'], j)}.csv"
        for i, export in enumerate(exports, 1)
        for j, data in enumerate(export["datasets"], 1)
    }


def _safe(name: str, number: int) -> str:
    kept = "".join(each if each.isascii() and (each.isalnum() or each in "-_") else "_" for each in name)
    return kept if kept == name else f"{number}-{kept}"


def _zipped(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with ZipFile(whole, "w") as zipped:
        for name, content in files.items():
            entry = ZipInfo(name, EPOCH)
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            zipped.writestr(entry, content)
    return whole.getvalue()
