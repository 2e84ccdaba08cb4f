"""Who a person is to a vendor: the identifiers that its file asks for, each in its form."""

import hashlib
from collections.abc import Iterable, Sequence

from services.fulfillment.ports import Subject
from services.fulfillment.vendors.files import Identifier
from shared.events.vendors import NamedBy

_VENDOR_ID = "vendor_id"


def naming(subjects: Iterable[Subject], wanted: Sequence[Identifier]) -> tuple[NamedBy, ...]:
    """The person's identifiers that the vendor can use, each once."""
    found = (
        NamedBy(kind=_kind(one), form=one.form, value=_written(subject.seeds[one.kind], one))
        for subject in subjects
        for one in wanted
        if one.kind in subject.seeds
    )
    return tuple(dict.fromkeys(found))


def _kind(identifier: Identifier) -> str:
    """Our own names of tables are nobody else's business."""
    return _VENDOR_ID if identifier.form == _VENDOR_ID else identifier.kind


def _written(value: str, identifier: Identifier) -> str:
    if identifier.form != "sha256":
        return value
    is_number = identifier.kind.startswith("phone")
    plain = "".join(filter(str.isdigit, value)) if is_number else value.strip().lower()
    return hashlib.sha256(plain.encode()).hexdigest()
