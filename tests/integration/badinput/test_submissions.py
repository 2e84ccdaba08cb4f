"""What is wrong with a record is said in one clear answer; the next record of its partition is received."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.events.intake import RequestReceived, RequestWithdrawn, SubmissionRefused
from shared.events.topics import DEAD_LETTERS, SUBMISSIONS
from shared.ids import new_id, request_id_for
from shared.signing import DecryptionKeys
from tests.support.planted import Canaries
from tests.support.running import Running
from tests.support.tape import Taped
from tests.support.upstream import REQUEST, SOURCE, WITHDRAWAL, Headers

pytestmark = pytest.mark.connected

WITHIN = 10
PARTITION = 3
DEAD = DEAD_LETTERS["intake"].name
REFUSED = "dsar.intake.command-refused.v1"
FREE_HEADERS = ("ce_subject", "ce_correlationid", "ce_causationid", "ce_signature", "traceparent", "x-who")
SOMEBODY_ELSE = "upstream/another-system"


@dataclass(frozen=True)
class Record:
    """One record on its way to `dsar.submissions`."""

    value: bytes | None
    key: bytes | None
    headers: Headers


@dataclass(frozen=True)
class Sender:
    """Makes records about made-up persons."""

    running: Running
    canaries: Canaries

    def claims(self, **changes: Any) -> dict[str, Any]:
        stated = {
            "right": "opt_out",
            "residency": "US-CA",
            "channel": "phone",
            "received_at": self.running.clock.now().isoformat(),
            "name": f"Ada {self.canaries.word()}",
            "email": self.canaries.email(),
        }
        return {**stated, **changes}

    def clear(self) -> bytes:
        return json.dumps(self.claims()).encode()

    def record(self, **headers: str) -> Record:
        """A good one, but for the headers given."""
        upstream = self.running.upstream
        # Some upstream systems take a person's address as the key of their record.
        key = self.canaries.email().encode()
        return Record(upstream.sealed(self.claims()), key, upstream.headers(REQUEST, **headers))

    def sealed(self, **changes: Any) -> Record:
        """A good one, but for the claims given."""
        return replace(self.record(), value=self.running.upstream.sealed(self.claims(**changes)))

    def body(self, value: bytes | None) -> Record:
        return replace(self.record(), value=value)

    def says(self, claims: Any) -> Record:
        return self.body(json.dumps({"claims": claims}).encode())

    def withdrawal(self, key: bytes, source: str) -> Record:
        value = json.dumps({"withdrawn_at": self.running.clock.now().isoformat()}).encode()
        return Record(value, key, self.running.upstream.headers(WITHDRAWAL, ce_source=source))

    async def send(self, record: Record) -> str:
        """Publish it to the one partition of this file; where it lies."""
        sent = await self.running.upstream.send(record.value, record.key, record.headers, PARTITION)
        return f"{SUBMISSIONS.name}/{sent.partition}/{sent.offset}"


Make = Callable[[Sender], Record]


def header(name: str, value: bytes) -> Make:
    """A good record with one more header."""

    def make(sender: Sender) -> Record:
        good = sender.record()
        canary = sender.canaries.word().encode()
        return replace(good, headers=[*good.headers, (name, value.replace(b"WHO", canary))])

    return make


UNREADABLE: dict[str, tuple[Make, str]] = {
    "without a key": (lambda sender: replace(sender.record(), key=None), "missing_key"),
    "with an empty key": (lambda sender: replace(sender.record(), key=b""), "missing_key"),
    "under a key that is no text": (lambda sender: replace(sender.record(), key=b"\xff\xfe"), "key_not_utf8"),
    "in clear": (lambda sender: sender.body(sender.clear()), "invalid_body"),
    "in clear inside": (lambda sender: sender.says(sender.claims()), "invalid_body"),
    "that is no JSON": (lambda sender: sender.body(sender.clear()[:-1]), "invalid_body"),
    "of bytes": (lambda sender: sender.body(b"\x00\xff" + sender.clear()), "invalid_body"),
    "without a value": (lambda sender: sender.body(None), "invalid_body"),
    "too long": (lambda sender: sender.says(sender.canaries.word() * 6_000), "invalid_body"),
    "of a future version": (
        lambda sender: sender.record(ce_type="dsar.submission.request.v2"),
        "unknown_type",
    ),
    "of no type": (lambda sender: sender.record(ce_type=sender.canaries.word()), "unknown_type"),
    "of another topic's type": (
        lambda sender: sender.record(ce_type="dsar.request.closed.v1"),
        "invalid_body",
    ),
    "without headers": (lambda sender: replace(sender.record(), headers=[]), "missing_header"),
    "with too many headers": (header("x-notes", b"WHO" * 3_000), "headers_too_large"),
    "with a header that is no text": (header("x-name", b"\xff\xfeWHO"), "header_not_utf8"),
    "with an id that is none": (lambda sender: sender.record(ce_id=sender.canaries.word()), "bad_header"),
    "with a time that is none": (lambda sender: sender.record(ce_time=sender.canaries.word()), "bad_header"),
    "with a person as source": (
        lambda sender: sender.record(ce_source=f"upstream/{sender.canaries.email()}"),
        "bad_header",
    ),
    "with a person as business": (
        lambda sender: sender.record(ce_business=sender.canaries.email()),
        "bad_header",
    ),
    "with a zero byte in a header": (
        lambda sender: sender.record(ce_business=f"{sender.canaries.word()}\x00"),
        "bad_header",
    ),
}


@pytest.mark.parametrize(("make", "reason"), UNREADABLE.values(), ids=UNREADABLE)
async def test_a_record_that_cannot_be_read_becomes_one_dead_letter_with_its_reason(
    running: Running, canaries: Canaries, make: Make, reason: str
) -> None:
    sender = Sender(running, canaries)

    origin = await sender.send(make(sender))
    await _the_next_one_is_received(sender)

    letters = await running.tape.until(lambda: _letters(running, origin), within=WITHIN, what="a dead letter")
    assert [letter.header("habeas_reason") for letter in letters] == [reason]


async def test_a_header_whose_name_is_no_text_stops_nobody(running: Running, canaries: Canaries) -> None:
    sender = Sender(running, canaries)
    record = sender.record()
    name = b"\xff\xfe" + canaries.word().encode()

    sent = await running.upstream.send_foreign(record.value or b"", record.key or b"", name, PARTITION)
    await _the_next_one_is_received(sender)

    origin = f"{SUBMISSIONS.name}/{sent.partition}/{sent.offset}"
    letters = await running.tape.until(lambda: _letters(running, origin), within=WITHIN, what="a dead letter")
    assert [letter.header("habeas_reason") for letter in letters] == ["header_not_utf8"]


def days_ago(days: int) -> Make:
    def make(sender: Sender) -> Record:
        return sender.sealed(received_at=(sender.running.clock.now() - timedelta(days=days)).isoformat())

    return make


def for_a_foreign_key(sender: Sender) -> Record:
    foreign = DecryptionKeys.generate().public_jwks()[0]
    return sender.body(sender.running.upstream.sealed(sender.claims(), foreign))


UNUSABLE: dict[str, tuple[Make, str, str | None]] = {
    "in clear as text": (lambda sender: sender.says(sender.clear().decode()), "clear_claims", "claims"),
    "that is no JWE": (lambda sender: sender.says(sender.canaries.word()), "not_a_jwe", "claims"),
    "for a foreign key": (for_a_foreign_key, "foreign_key", "claims"),
    "with a wrong type": (
        lambda sender: sender.sealed(name={"is": sender.canaries.word()}),
        "wrong_type_or_form",
        "name",
    ),
    "with an unknown field": (
        lambda sender: sender.sealed(shoe=sender.canaries.word()),
        "unknown_field",
        None,
    ),
    "with an unknown right": (
        lambda sender: sender.sealed(right=sender.canaries.word()),
        "unknown_right",
        "right",
    ),
    "with no address": (lambda sender: sender.sealed(email=sender.canaries.word()), "unusable", "email"),
    "with an unknown residency": (
        lambda sender: sender.sealed(residency=sender.canaries.word()),
        "unknown_residency",
        "residency",
    ),
    "for an unknown business": (
        lambda sender: sender.sealed(business=sender.canaries.word()),
        "unknown_business",
        "business",
    ),
    "from the future": (days_ago(-1), "received_in_future", "received_at"),
    "from long ago": (days_ago(400), "received_too_long_ago", "received_at"),
}


@pytest.mark.parametrize(("make", "reason", "field"), UNUSABLE.values(), ids=UNUSABLE)
async def test_a_submission_that_cannot_be_used_is_refused_with_the_reason_and_the_remedy(
    running: Running, canaries: Canaries, make: Make, reason: str, field: str | None
) -> None:
    sender = Sender(running, canaries)
    record = make(sender)

    await sender.send(record)
    await _the_next_one_is_received(sender)

    refused = await running.tape.wait(_request(record), SubmissionRefused, within=WITHIN)
    assert (refused.reason, refused.field, refused.submission_source) == (reason, field, SOURCE)
    assert refused.remedy


async def test_a_refused_submission_is_received_once_it_is_mended(
    running: Running, canaries: Canaries
) -> None:
    sender = Sender(running, canaries)
    wrong = sender.sealed(residency=canaries.word())
    await sender.send(wrong)
    await running.tape.wait(_request(wrong), SubmissionRefused, within=WITHIN)

    await sender.send(replace(sender.record(), key=wrong.key))

    await running.tape.wait(_request(wrong), RequestReceived, within=WITHIN)


async def test_what_is_said_in_headers_is_repeated_nowhere(running: Running, canaries: Canaries) -> None:
    sender = Sender(running, canaries)
    record = sender.record(**{name: canaries.email() for name in FREE_HEADERS})

    await sender.send(record)

    await running.tape.wait(_request(record), RequestReceived, within=WITHIN)
    told = running.tape.about(_request(record))
    assert [one.header("traceparent") for one in told] == [""] * len(told)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (SOMEBODY_ELSE, "not_yours"),
        ("habeas/intake", "source_not_allowed"),
        ("habeas/cli", "source_not_allowed"),
    ],
)
async def test_a_withdrawal_of_somebody_elses_request_is_refused_and_moves_nothing(
    running: Running, canaries: Canaries, source: str, reason: str
) -> None:
    sender = Sender(running, canaries)
    theirs = sender.record()
    await sender.send(theirs)
    await running.tape.wait(_request(theirs), RequestReceived, within=WITHIN)

    withdrawal = sender.withdrawal(theirs.key or b"", source)
    await sender.send(withdrawal)
    await _the_next_one_is_received(sender)

    refused = await running.tape.until(
        lambda: _refusals(running, withdrawal), within=WITHIN, what="a refusal"
    )
    assert [one.body["reason"] for one in refused] == [reason]
    assert running.tape.find(_request(theirs), RequestWithdrawn) is None


async def test_a_request_over_http_cannot_be_taken_back_by_a_record_that_claims_to_be_intake(
    running: Running, canaries: Canaries
) -> None:
    sender = Sender(running, canaries)
    form = {"right": "delete", "residency": "US-CA", "email": canaries.email()}
    key = f"form-of-{canaries.word()}"
    made = await running.http.post(f"{running.intake}/requests", json=form, headers={"Idempotency-Key": key})
    request_id = UUID(made.json()["request_id"])

    withdrawal = sender.withdrawal(key.encode(), "habeas/intake/http")
    origin = await sender.send(withdrawal)

    assert _request(withdrawal) == request_id
    letters = await running.tape.until(lambda: _letters(running, origin), within=WITHIN, what="a dead letter")
    assert [letter.header("habeas_reason") for letter in letters] == ["bad_header"]
    assert running.tape.find(request_id, RequestWithdrawn) is None


async def test_a_burst_of_nonsense_between_good_records_disturbs_none_of_them(
    running: Running, canaries: Canaries
) -> None:
    sender = Sender(running, canaries)
    good = [sender.record() for _ in UNREADABLE]

    origins = []
    for record, (make, _) in zip(good, UNREADABLE.values(), strict=True):
        await sender.send(record)
        origins.append(await sender.send(make(sender)))

    for record in good:
        await running.tape.wait(_request(record), RequestReceived, within=WITHIN)
    found = await running.tape.until(
        lambda: all(_letters(running, origin) for origin in origins), within=WITHIN, what="a letter for each"
    )
    assert found
    assert [len(_letters(running, origin)) for origin in origins] == [1] * len(origins)


def _request(record: Record) -> UUID:
    source = dict(record.headers)["ce_source"].decode()
    return request_id_for(source, (record.key or b"").decode())


def _letters(running: Running, origin: str) -> list[Taped]:
    return [one for one in running.tape.on(DEAD) if one.header("habeas_origin") == origin]


def _refusals(running: Running, record: Record) -> list[Taped]:
    number = dict(record.headers)["ce_id"].decode()
    told = running.tape.about(_request(record))
    return [one for one in told if one.kind == REFUSED and one.body["command_id"] == number]


async def _the_next_one_is_received(sender: Sender) -> None:
    record = replace(sender.record(), key=f"the-next-one-{new_id()}".encode())
    await sender.send(record)
    await sender.running.tape.wait(_request(record), RequestReceived, within=WITHIN)
