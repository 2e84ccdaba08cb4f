"""What a vendor's engineer is given to read and to try: a page, the schemas, a message about nobody to practise on."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any
from uuid import UUID

from services.fulfillment.ports import Subject
from services.fulfillment.vendors.classification import classify
from services.fulfillment.vendors.files import OverKafka, Vendor
from services.fulfillment.vendors.letters import naming
from services.fulfillment.vendors.spans import told_of_today
from shared.events import envelope
from shared.events.envelope import Envelope
from shared.events.topics import ACKNOWLEDGEMENTS, DIRECTIVES
from shared.events.vendors import DeletionDirective, Letter, NamedBy
from shared.keyfiles import KeyFiles
from shared.policy.rights import Right
from shared.settings import Settings
from shared.signing import seal_directive

TEMPLATE = Path(__file__).parent / "templates" / "vendor.md"
SCHEMAS = Path(__file__).parent / "schemas"
GIVEN = ("vendors.asyncapi.yaml", "letter.schema.json")
AT = datetime(2026, 1, 15, 18, tzinfo=UTC)
REQUEST, DIRECTIVE = UUID(int=0, version=4), UUID(int=1, version=4)
NOBODY = {"email": "nobody@example.com", "phone": "+14155550100", "phone_number": "+14155550100"}
DO: dict[Right, str] = {
    Right.DELETE: "delete what you hold of the person, and have whoever you gave it to do the same",
    Right.OPT_OUT: "stop selling and sharing the person's data, and pass that on to whoever you gave it to",
    Right.LIMIT: "use what is sensitive for no more than the service needs, and pass that on",
    Right.CORRECT: "put right what `corrections` say: what is wrong, and what it should be; keep a `statement` with it",
}
SIGNED = """\
and `ce_signature`: a JWS with your Ed25519 key, `kid` its RFC 7638 thumbprint, `typ` `habeas-command+jws`, over the
JSON (keys sorted, no spaces) of `actor` (empty), `id`, `payload_sha256` (of the record's value), `source`, `subject`
and `type`; written as `header..signature`, without its payload."""
UNSIGNED = "and no more: your login at the broker says who you are, so nothing is signed."


def pages(
    settings: Settings, vendor: Vendor, told: OverKafka, today: datetime
) -> Iterator[tuple[str, bytes]]:
    """Every file to read, by its name."""
    sample = example(settings, vendor, told)
    yield "README.md", page(settings, vendor, told, sample, today).encode()
    yield "example.json", json.dumps(sample, indent=1).encode()
    yield from ((name, (SCHEMAS / name).read_bytes()) for name in GIVEN if (SCHEMAS / name).exists())


def example(settings: Settings, vendor: Vendor, told: OverKafka) -> dict[str, Any]:
    """A directive about nobody, signed by us and encrypted to the vendor as every one is; and what it says."""
    letter = _letter(vendor, told)
    body = _directive(KeyFiles(settings.keys), vendor.vendor, told, letter)
    head = Envelope(
        id=UUID(int=2, version=4),
        source="habeas/fulfillment",
        ce_type=body.declared.ce_type,
        subject=REQUEST,
        time=AT,
        sequence=1,
        business=vendor.business,
        correlation_id=str(REQUEST),
        traceparent="",
        signature=None,
    )
    return {
        "topic": settings.namespace + DIRECTIVES.of(vendor.vendor).name,
        "key": str(REQUEST),
        "headers": envelope.write(head),
        "value": body.model_dump(mode="json"),
        "what its letter says": letter.model_dump(mode="json"),
    }


def _directive(keys: KeyFiles, vendor: str, told: OverKafka, letter: Letter) -> DeletionDirective:
    content = letter.model_dump_json().encode()
    return DeletionDirective(
        directive_id=DIRECTIVE,
        vendor=vendor,
        message=1,
        receipt_by=AT + timedelta(days=told.answers.receipt_days),
        due_at=letter.due_at,
        letter=seal_directive(content, keys.directives(), keys.vendor(vendor)),
    )


def page(settings: Settings, vendor: Vendor, told: OverKafka, sample: dict[str, Any], today: datetime) -> str:
    """Everything that a vendor's engineer must know."""
    answers, rights = told.answers, told_of_today(classify(vendor, today.date()), today.date())
    letter, value = dict(sample["what its letter says"]), dict(sample["value"])
    value["letter"] = f"{value['letter'][:24]}…"
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        vendor=vendor.vendor,
        title=vendor.title,
        business=vendor.business,
        kafka=settings.kafka_bootstrap,
        namespace=settings.namespace,
        directives=settings.namespace + DIRECTIVES.of(vendor.vendor).name,
        acknowledgements=settings.namespace + ACKNOWLEDGEMENTS.of(vendor.vendor).name,
        identifiers=", ".join(sorted({_form(one.kind, one.form) for one in told.identifiers})),
        rights="\n".join(f"| `{right}` | {DO[right]} |" for right in DO if right in rights),
        value=json.dumps(value, indent=1, ensure_ascii=False),
        letter=json.dumps(letter, indent=1),
        receipt_days=answers.receipt_days,
        outcome_days=answers.outcome_days,
        reminders=_reminders(answers.reminders),
        signature=SIGNED if answers.signed else UNSIGNED,
        days=DIRECTIVES.retention_ms // (24 * 3600 * 1000),
    )


def _letter(vendor: Vendor, told: OverKafka) -> Letter:
    seeds = {one.kind: NOBODY.get(one.kind, "example") for one in told.identifiers}
    identifiers: tuple[NamedBy, ...] = naming([Subject(seeds)], told.identifiers)
    return Letter(
        aud=vendor.vendor,
        jti=DIRECTIVE,
        iat=int(AT.timestamp()),
        exp=int((AT + timedelta(milliseconds=DIRECTIVES.retention_ms)).timestamp()),
        request=REQUEST,
        business=vendor.business,
        right="delete",
        message=1,
        due_at=AT + timedelta(days=told.answers.outcome_days),
        collected_until=AT,
        identifiers=identifiers,
    )


def _form(kind: str, form: str) -> str:
    return {"raw": f"{kind} as it is", "sha256": f"SHA-256 of the {kind}"}.get(
        form, "your own number (`vendor_id`)"
    )


def _reminders(number: int) -> str:
    return {0: "You are not reminded", 1: "You are reminded once"}.get(
        number, f"You are reminded {number} times"
    )
