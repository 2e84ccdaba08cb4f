"""What lies in a bundle, and the signed list of it."""

import hashlib
import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.audit import AuditRow
from shared.canonical import canonical_json, instant
from shared.events.envelope import Record
from shared.signing import KeyRing, sign

BUNDLE_TYPE: Final = "habeas-bundle+jws"
FORMAT: Final = "habeas-bundle/1"
CERTIFICATE: Final = "certificate.jws"
EVENTS: Final = "events.jsonl"
KEYS: Final = "evidence.jwks.json"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.jws"
CHAINS: Final = "chains/"
ADDENDA: Final = "addenda/"
README: Final = """\
What proves one privacy request. Nothing in here names a person; what is sealed in the events stays sealed.

  certificate.jws    what was asked and when, what each system did, which notices went out, whether in time
  addenda/*.jws      what was found after the request was closed
  events.jsonl       every event about it, as it lies on its topic: id, type, topic and value (base64)
  chains/*.jsonl     each service's history of it, row by row
  evidence.jwks.json the business's public keys; compare them with those that it publishes
  manifest.json      the SHA-256 of every other file; manifest.jws is the same, signed

Check it: habeas evidence verify bundle.zip --jwks KEYS, with the keys that the business publishes.

Without Habeas: *.jws are JSON Web Signatures (RFC 7515, EdDSA). The certificate's payload names the SHA-256 of the
bytes of each event, and the end of each service's chain when it was closed. A row's `hash` is the SHA-256 of the JSON
of its other six fields, keys sorted, without spaces; `prev` is the hash of the row before it. The event
dsar.request.closed carries the SHA-256 of the certificate's payload.
"""


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is known of one request."""

    request_id: UUID
    certificate: str
    addenda: Sequence[str]
    events: Sequence[Record]
    chains: Mapping[str, Sequence[AuditRow]]
    keys: bytes


def bundle(proofs: Proofs, ring: KeyRing, at: datetime) -> bytes:
    """The bundle as a ZIP archive, its list signed with the evidence key."""
    files = _files(proofs)
    manifest = canonical_json(
        {
            "format": FORMAT,
            "request_id": str(proofs.request_id),
            "made_at": instant(at),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
    )
    signature = sign(manifest, BUNDLE_TYPE, ring).encode()
    return _zipped({**files, MANIFEST: manifest, SIGNATURE: signature}, at)


def row_line(row: AuditRow) -> str:
    """A row of a chain as text: exactly what its hash covers, and the hash."""
    told = {
        "request_id": str(row.request_id),
        "seq": row.seq,
        "at": instant(row.at),
        "kind": row.kind,
        "facts": dict(row.facts),
        "prev": row.prev,
        "hash": row.hash,
    }
    return json.dumps(told, sort_keys=True, ensure_ascii=False)


def _files(proofs: Proofs) -> dict[str, bytes]:
    addenda = {f"{ADDENDA}{number:03}.jws": token.encode() for number, token in enumerate(proofs.addenda, 1)}
    chains = {
        f"{CHAINS}{service}.jsonl": _lines(row_line(row) for row in rows)
        for service, rows in proofs.chains.items()
        if rows
    }
    return {
        "README.txt": README.encode(),
        CERTIFICATE: proofs.certificate.encode(),
        **addenda,
        EVENTS: _lines(_event_line(one) for one in proofs.events),
        **chains,
        KEYS: proofs.keys,
    }


def _event_line(one: Record) -> str:
    told = {
        "id": str(one.envelope.id),
        "type": one.envelope.ce_type,
        "source": one.envelope.source,
        "time": one.envelope.time.isoformat(),
        "topic": one.raw.topic,
        "sequence": one.envelope.sequence,
        "value": b64encode(one.raw.value).decode(),
    }
    return json.dumps(told)


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _zipped(files: Mapping[str, bytes], at: datetime) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), content)
    return made.getvalue()
