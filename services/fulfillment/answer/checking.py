"""Whether an archive is what the business signed: every file there, none changed, none added."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from pydantic import BaseModel, ConfigDict, ValidationError

from services.fulfillment.answer.archive import MANIFEST, MANIFEST_TYPE, SIGNATURE
from shared.canonical import canonical_json
from shared.signing import PublicKeys, Unverified, verify

LARGEST: Final = 4 * 1024**3
CHUNK: Final = 1024 * 1024


class Manifest(BaseModel):
    """What was signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    request_id: str
    composed_at: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Checked:
    """What an archive turned out to be; `reason` says why its signature does not count."""

    manifest: Manifest | None = None
    reason: str = ""
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def genuine(self) -> bool:
        return self.manifest is not None and not (self.missing or self.changed or self.added)


def check_archive(path: Path, keys: PublicKeys) -> Checked:
    """Read an archive and compare each file with the signed list, a piece at a time.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        with ZipFile(path) as archive:
            return _checked(archive, keys)
    except (BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError):
        return Checked(reason="form")


def _checked(archive: ZipFile, keys: PublicKeys) -> Checked:
    manifest = _manifest(archive, keys)
    if isinstance(manifest, str):
        return Checked(reason=manifest)
    names = set(archive.namelist()) - {SIGNATURE, MANIFEST}
    if sum(one.file_size for one in archive.infolist()) > LARGEST:
        return Checked(reason="size")
    present = sorted(names & set(manifest.files))
    changed = [name for name in present if _digest(archive, name) != manifest.files[name]]
    if _digest(archive, MANIFEST) != sha256(canonical_json(manifest.model_dump())).hexdigest():
        changed.append(MANIFEST)
    return Checked(
        manifest,
        missing=tuple(sorted(set(manifest.files) - names)),
        changed=tuple(changed),
        added=tuple(sorted(names - set(manifest.files))),
    )


def _manifest(archive: ZipFile, keys: PublicKeys) -> Manifest | str:
    if archive.getinfo(SIGNATURE).file_size > CHUNK:
        return "size"
    payload: Any = verify(archive.read(SIGNATURE).decode("ascii", "replace").strip(), keys, MANIFEST_TYPE)
    if isinstance(payload, Unverified):
        return payload.reason
    try:
        manifest = Manifest.model_validate_json(payload)
    except ValidationError:
        return "form"
    return manifest if _is_a_time(manifest.composed_at) else "time"


def _is_a_time(text: str) -> bool:
    """Whether it names one instant, as `composed_at` must: without its zone a time names many."""
    try:
        at = datetime.fromisoformat(text)
        return at.tzinfo is not None and at.astimezone(UTC) == at
    except (ValueError, OverflowError):
        return False


def _digest(archive: ZipFile, name: str) -> str:
    digest = sha256()
    with archive.open(name) as content:
        while piece := content.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()
