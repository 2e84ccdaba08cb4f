"""A directive's letter: what a vendor reads once it has decrypted and verified it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.fulfillment.ports import Subject
from services.fulfillment.vendors.files import Identifier
from shared.canonical import canonical_json, instant

_VENDOR_ID = "vendor_id"
Named = dict[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a letter says besides who the person is."""

    vendor: str
    directive_id: UUID
    request_id: UUID
    business: str
    right: str
    message: int
    told_at: datetime
    due_at: datetime
    cut_off: datetime
    expires_at: datetime


def naming(subjects: Iterable[Subject], wanted: Sequence[Identifier]) -> list[Named]:
    """The person's identifiers that the vendor can use, each in the form that its file asks for."""
    found = [
        {"kind": _kind(one), "form": one.form, "value": _written(subject.seeds[one.kind], one)}
        for subject in subjects
        for one in wanted
        if one.kind in subject.seeds
    ]
    return [dict(pairs) for pairs in dict.fromkeys(tuple(each.items()) for each in found)]


def content(letter: Letter, identifiers: Sequence[Named]) -> bytes:
    """The letter's bytes: the claims of a JSON Web Token by their usual names, and ours."""
    return canonical_json(
        {
            "iss": "habeas/fulfillment",
            "aud": letter.vendor,
            "jti": str(letter.directive_id),
            "iat": int(letter.told_at.timestamp()),
            "exp": int(letter.expires_at.timestamp()),
            "request": str(letter.request_id),
            "business": letter.business,
            "right": letter.right,
            "message": letter.message,
            "due_at": instant(letter.due_at),
            "collected_until": instant(letter.cut_off),
            "identifiers": list(identifiers),
        }
    )


def _kind(identifier: Identifier) -> str:
    """Our own names of tables are nobody else's business."""
    return _VENDOR_ID if identifier.form == _VENDOR_ID else identifier.kind


def _written(value: str, identifier: Identifier) -> str:
    if identifier.form != "sha256":
        return value
    plain = (
        "".join(filter(str.isdigit, value)) if identifier.kind.startswith("phone") else value.strip().lower()
    )
    return hashlib.sha256(plain.encode()).hexdigest()
