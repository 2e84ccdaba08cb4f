"""Anchors: the ends of all chains at one time, signed, in a folder outside of the database.

Whoever owns the database can write a whole chain anew, without a break. Against an anchor that lies elsewhere that
shows: the anchored row is gone, or another.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from shared.audit import AuditHead
from shared.canonical import canonical_json, instant, sha256_hex
from shared.private_files import write_private
from shared.signing import KeyRing, PublicKeys, Unverified, sign, verify

ANCHOR_TYPE: Final = "habeas-anchor+jws"
FORMAT: Final = "habeas-anchor/1"
NAME: Final = re.compile(r"^anchor-\d{8}T\d{12}Z\.json\.gz$")

Heads = Mapping[str, Mapping[UUID, AuditHead]]


class AnchorRefused(Exception):
    """An anchor proves nothing; the sentence says which, why and what to do."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The heads that were anchored, by service and request."""

    at: datetime
    heads: Heads
    name: str = ""


def write_anchor(folder: Path, at: datetime, heads: Heads, ring: KeyRing) -> Path:
    """Write one more anchor beside its signature; an older one is never touched.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = _names(folder)
    body = canonical_json(
        {
            "format": FORMAT,
            "at": instant(at),
            "previous": sha256_hex((folder / before[-1]).read_bytes()) if before else None,
            "services": {
                service: {str(one): f"{head.seq}:{head.hash}" for one, head in found.items()}
                for service, found in heads.items()
            },
        }
    )
    path = folder / f"anchor-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z.json.gz"
    content = gzip.compress(body, mtime=0)
    write_private(path, content)
    digest = canonical_json({"format": FORMAT, "sha256": sha256_hex(content)})
    write_private(_signature(path), sign(digest, ANCHOR_TYPE, ring).encode())
    return path


def read_anchors(folder: Path, keys: PublicKeys) -> Iterator[Anchor]:
    """Every anchor of a folder, oldest first.

    Raises:
        AnchorRefused: one is damaged, unsigned, or missing between two others.
    """
    previous: str | None = None
    for number, name in enumerate(_names(folder)):
        content = (folder / name).read_bytes()
        _check_signature(folder / name, content, keys)
        body = json.loads(gzip.decompress(content))
        if number and body["previous"] != previous:
            raise AnchorRefused(f"{name} does not follow the anchor before it: one was removed between them")
        previous = sha256_hex(content)
        yield Anchor(datetime.fromisoformat(body["at"]), _heads(body["services"]), name)


def _check_signature(path: Path, content: bytes, keys: PublicKeys) -> None:
    try:
        token = _signature(path).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise AnchorRefused(f"{path.name} has no signature beside it; restore it from its copy") from None
    payload = verify(token, keys, ANCHOR_TYPE)
    if isinstance(payload, Unverified):
        raise AnchorRefused(f"{path.name} is not signed by a key of this installation ({payload.reason})")
    if json.loads(payload)["sha256"] != sha256_hex(content):
        raise AnchorRefused(f"{path.name} was changed after it was signed; restore it from its copy")


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if NAME.match(path.name))


def _signature(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".json.gz") + ".jws")


def _heads(services: Mapping[str, Mapping[str, str]]) -> Heads:
    return {
        service: {
            UUID(one): AuditHead(int(text.partition(":")[0]), text.partition(":")[2])
            for one, text in found.items()
        }
        for service, found in services.items()
    }
