"""Submissions from a topic: only claims encrypted to us become a request; the rest is answered with a reason."""

import json
from typing import Any

import pytest

from services.intake.domain import IntakeCase
from services.intake.prepare import REMEDIES
from services.intake.submission import Problem, Submission
from shared.events.commands import RequestSubmitted
from shared.events.intake import RequestReceived, SubmissionRefused
from shared.machine.decision import Message
from shared.signing import DecryptionKeys, KeyRing, encrypt_submission, sign
from shared.vault.errors import KeyUnknown
from tests.support.domain_driver import REQUEST, Messages, Step
from tests.support.front_desk import CLAIMS, NOW, PERSON, UPSTREAM, FrontDesk


def submitted(claims: str) -> Message:
    return Messages().command(RequestSubmitted(claims=claims), at=NOW, source=UPSTREAM)


async def heard(desk: FrontDesk, claims: str) -> Step[IntakeCase]:
    """What the rules make of it, and every sealed field as the real vault would open it."""
    message = submitted(claims)
    [facts] = await desk.cases.prepare([message])
    return desk.cases.of(REQUEST).deliver(Message(**{**_fields(message), "facts": facts}))


def _fields(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.__slots__}


async def test_claims_encrypted_to_us_become_a_request() -> None:
    desk = FrontDesk()

    step = await heard(desk, desk.encrypted(CLAIMS))

    [received] = step.bodies(RequestReceived)
    assert received.right == "delete"
    assert json.loads(step.sent[0].opened("claims")) == {"email": "ada.lovelace@example.com"}


async def test_a_key_exists_for_every_request_that_is_read_and_for_no_other() -> None:
    desk = FrontDesk()
    good, bad = submitted(desk.encrypted(CLAIMS)), submitted("nonsense")

    found = await desk.cases.prepare([good, bad])

    assert [type(one) for one in found] == [Submission, Problem]
    assert desk.vault.seal(REQUEST, REQUEST, "claims", b"x")
    await heard(fresh := FrontDesk(), "nonsense")
    await fresh.vault.prefetch([REQUEST])
    with pytest.raises(KeyUnknown):
        fresh.vault.seal(REQUEST, REQUEST, "claims", b"x")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ("", "not_a_jwe"),
        ("nonsense", "not_a_jwe"),
        ("a.b.c.d.e", "not_a_jwe"),
        (json.dumps(CLAIMS), "clear_claims"),
        ("[]", "clear_claims"),
        ("x" * 64_001, "too_large"),
    ],
)
async def test_claims_in_clear_or_in_no_form_are_refused_with_the_remedy(claims: str, reason: str) -> None:
    # The envelope's own bound comes first; this is what holds behind it.
    body = RequestSubmitted.model_construct(claims=claims)
    message = Messages().command(body, at=NOW, source=UPSTREAM)

    [found] = await FrontDesk().cases.prepare([message])

    assert found == Problem(reason, "claims", REMEDIES[reason])


async def test_claims_that_are_only_signed_are_in_clear() -> None:
    desk = FrontDesk()

    step = await heard(desk, sign(json.dumps(CLAIMS).encode(), "JWT", KeyRing.generate()))

    assert [fact.reason for fact in step.bodies(SubmissionRefused)] == ["clear_claims"]


async def test_claims_for_a_foreign_key_are_refused() -> None:
    foreign = DecryptionKeys.generate().public_jwks()[0]

    step = await heard(FrontDesk(), encrypt_submission(json.dumps(CLAIMS).encode(), foreign))

    assert [fact.reason for fact in step.bodies(SubmissionRefused)] == ["foreign_key"]


async def test_claims_that_were_changed_on_the_way_are_refused() -> None:
    desk = FrontDesk()
    header, rest = desk.encrypted(CLAIMS).split(".", 1)
    changed = f"{header}.{rest[:-1]}{'A' if rest[-1] != 'A' else 'B'}"

    step = await heard(desk, changed)

    assert [fact.reason for fact in step.bodies(SubmissionRefused)] == ["undecryptable"]


@pytest.mark.parametrize(
    ("claims", "reason", "field"),
    [
        ({**CLAIMS, "right": "vanish"}, "unknown_right", "right"),
        ({**CLAIMS, "residency": "DE"}, "unknown_residency", "residency"),
        ({**CLAIMS, "email": "canary"}, "unusable", "email"),
        ({**CLAIMS, "canary": True}, "unknown_field", None),
        ({**CLAIMS, "received_at": "2031-01-01T00:00:00Z"}, "received_in_future", "received_at"),
        (PERSON, "missing", "channel"),
    ],
)
async def test_readable_claims_that_are_no_request_are_refused_without_a_word_of_theirs(
    claims: dict[str, Any], reason: str, field: str | None
) -> None:
    desk = FrontDesk()

    step = await heard(desk, desk.encrypted(claims))

    [fact] = step.bodies(SubmissionRefused)
    assert (fact.reason, fact.field) == (reason, field)
    assert "canary" not in fact.model_dump_json()
    assert step.case.state == "refused"


async def test_a_rotated_key_still_opens_what_was_encrypted_before() -> None:
    desk = FrontDesk()
    before = desk.encrypted(CLAIMS)
    desk.cases.prepare._decryption = desk.decryption.rotated()  # noqa: SLF001 - a restart with the new file

    step = await heard(desk, before)

    assert len(step.bodies(RequestReceived)) == 1
