"""Whether a bundle proves what it says: by the public key alone, without a server, a database or a topic."""

import hashlib
import io
import json
import zipfile
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from deploy.bundles.files import ADDENDA, BUNDLE_TYPE, CERTIFICATE, CHAINS, EVENTS, MANIFEST, SIGNATURE
from shared.addendum import Addendum, verify_addendum
from shared.audit import AuditRow, Broken, verify_chain
from shared.canonical import sha256_hex
from shared.evidence import (
    Certificate,
    CertificateRefused,
    build_payload,
    check_events,
    verify_certificate,
)
from shared.signing import PublicKeys, Unverified, verify
from shared.signing.jws import counts, signed_by

CLOSED: Final = "dsar.request.closed.v1"
# More than any request's; a bundle comes from somebody else.
MOST_BYTES: Final = 256_000_000
Files = Mapping[str, bytes]


class NoBundle(Exception):
    """The file is no bundle of ours."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The certificate, if it is genuine, and each thing that is not as it should be."""

    certificate: Certificate | None
    faults: tuple[str, ...]
    events: int = 0
    rows: int = 0


def check_bundle(content: bytes, keys: PublicKeys) -> Checked:
    """Check everything that is in it.

    Raises:
        NoBundle: it cannot be read as one.
    """
    files = _unzipped(content)
    faults = list(_against_manifest(files, keys))
    token = files.get(CERTIFICATE, b"").decode("ascii", "replace")
    found = verify_certificate(token, keys)
    if isinstance(found, CertificateRefused):
        why = f"{CERTIFICATE}: not genuine ({found.reason}, signed by key {signed_by(token)})"
        return Checked(None, (*faults, why))
    try:
        events = [json.loads(line) for line in files.get(EVENTS, b"").splitlines()]
        chains = {
            _service(name): list(_rows(text)) for name, text in files.items() if name.startswith(CHAINS)
        }
        faults += _against_events(found, events)
        faults += _against_chains(found, chains, events)
        faults += _against_addenda(found, files, keys)
    except (ValueError, KeyError, TypeError):
        raise NoBundle("its events or its chains are not what they should be; ask for another") from None
    return Checked(found, tuple(faults), len(events), sum(map(len, chains.values())))


def _unzipped(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
                raise NoBundle("it unfolds to more than any request's proof")
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, OSError):
        raise NoBundle("it is no ZIP archive, or a damaged one; ask for another") from None


def _against_manifest(files: Files, keys: PublicKeys) -> Iterator[str]:
    token = files.get(SIGNATURE, b"").decode("ascii", "replace").strip()
    manifest = verify(token, keys, BUNDLE_TYPE)
    if isinstance(manifest, Unverified):
        yield f"{SIGNATURE}: not genuine ({manifest.reason}, signed by key {signed_by(token)})"
        return
    if manifest != files.get(MANIFEST):
        yield f"{MANIFEST} is not the one that was signed"
    said = json.loads(manifest)
    if not counts(token, keys, datetime.fromisoformat(said["made_at"])):
        yield f"{SIGNATURE}: signed by key {signed_by(token)}, which was retired before the bundle's date"
    yield from _against_list(said["files"], files)


def _against_list(listed: Mapping[str, str], files: Files) -> Iterator[str]:
    there = {name for name in files if name not in (MANIFEST, SIGNATURE)}
    for name in sorted(listed.keys() | there):
        if name not in there:
            yield f"{name} is missing"
        elif name not in listed:
            yield f"{name} does not belong to it"
        elif hashlib.sha256(files[name]).hexdigest() != listed[name]:
            yield f"{name} was changed"


def _against_events(certificate: Certificate, events: list[Any]) -> Iterator[str]:
    values = {UUID(one["id"]): b64decode(one["value"], validate=True) for one in events}
    found = check_events(certificate, values)
    yield from (f"event {one} is missing" for one in found.missing)
    yield from (f"event {one} was changed" for one in found.changed)
    digest = sha256_hex(build_payload(certificate))
    closings = [json.loads(b64decode(one["value"])) for one in events if one["type"] == CLOSED]
    if not any(one["evidence_digest"] == digest for one in closings):
        yield "no event of the closing names this certificate"


def _against_chains(
    certificate: Certificate, chains: Mapping[str, list[AuditRow]], events: list[Any]
) -> Iterator[str]:
    for service, rows in chains.items():
        ended = verify_chain(rows)
        if isinstance(ended, Broken):
            yield f"the chain of {service}, row {ended.seq}: {ended.why}"
    for service, head in certificate.chain_heads.items():
        if head and head not in {row.hash for row in chains.get(service, ())}:
            yield f"the chain of {service} is not the one that the certificate names"
    for one in events:
        service = one["source"].removeprefix("habeas/")
        head = json.loads(b64decode(one["value"])).get("audit_head")
        if head and head not in {row.hash for row in chains.get(service, ())}:
            yield f"event {one['id']} names a row that the chain of {service} does not have"


def _against_addenda(certificate: Certificate, files: Files, keys: PublicKeys) -> Iterator[str]:
    digest = sha256_hex(build_payload(certificate))
    for name in sorted(one for one in files if one.startswith(ADDENDA)):
        found = verify_addendum(files[name].decode("ascii", "replace"), keys)
        if not isinstance(found, Addendum):
            yield f"{name}: not genuine ({found.reason})"
        elif found.certificate_sha256 != digest:
            yield f"{name} belongs to another certificate"


def _service(name: str) -> str:
    return name.removeprefix(CHAINS).removesuffix(".jsonl")


def _rows(text: bytes) -> Iterator[AuditRow]:
    for line in text.splitlines():
        told = json.loads(line)
        at = datetime.fromisoformat(told["at"])
        yield AuditRow(**{**told, "at": at, "request_id": UUID(told["request_id"])})
