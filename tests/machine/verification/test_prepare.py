"""What is opened before a decision, and how little of it goes on: words, keyed hashes, a code as a Secret."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.verification.domain import AssertionFound, ClaimsFound, Findings, VerificationDomain
from services.verification.prepare import Prepare, Trust
from shared.events.commands import AnswerChallenge, PresentAssertion, SendNotice
from shared.events.verification import VerificationConcluded
from shared.issuers import IssuerFolder
from shared.machine.decision import Message
from shared.privacy import Claims, HmacKeyring, Secret
from shared.vault import StoredKey, Vault
from tests.support import facts
from tests.support.accounts import IdentityProvider
from tests.support.domain_driver import REQUEST, DomainDriver, Messages
from tests.support.memory_vault import MemoryKeyStore, memory_vault
from tests.support.proofs import KEYRING, SUBJECT

EMAIL = "pat@example.test"
NOW = facts.RECEIVED_AT
MINUTE = timedelta(minutes=1)


class Desk:
    """Verification's preparation over a vault in memory, and an identity provider that Cascadia trusts."""

    def __init__(self, folder: Path, store: MemoryKeyStore | None = None) -> None:
        self.store = store or MemoryKeyStore()
        self.vault: Vault = memory_vault(self.store)
        self.provider = IdentityProvider()
        self.provider.publish(folder, "cascadia")
        trust = Trust(IssuerFolder(folder).of, audience="habeas", fresh_for=timedelta(minutes=10))
        self.prepare = Prepare(self.vault, KEYRING, trust)
        self.messages = Messages()

    async def open_request(self) -> None:
        await self.vault.create([REQUEST])

    def request(self, claims: Claims | bytes, assertion: bytes | None = None) -> Message:
        made = self.messages.event(facts.received(), at=NOW)
        plaintext = claims if isinstance(claims, bytes) else claims.to_bytes()
        sealed: dict[str, Any] = {"claims": self.seal(made, "claims", plaintext)}
        if assertion is not None:
            sealed["assertion"] = self.seal(made, "assertion", assertion)
        return replace(made, body=made.body.model_copy(update=sealed))

    def code(self, code: str) -> Message:
        made = self.messages.command(AnswerChallenge(code=""), at=NOW)
        return replace(made, body=AnswerChallenge(code=self.seal(made, "code", code.encode())))

    def presentation(self, assertion: bytes) -> Message:
        made = self.messages.command(PresentAssertion(assertion=""), at=NOW)
        sealed = self.seal(made, "assertion", assertion)
        return replace(made, body=PresentAssertion(assertion=sealed))

    def seal(self, message: Message, field: str, plaintext: bytes) -> str:
        return self.vault.seal(message.request_id, message.id, field, plaintext)

    async def find(self, message: Message) -> Findings:
        [found] = await self.prepare([message])
        return found


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    await made.open_request()
    return made


@pytest.mark.parametrize("written", [EMAIL, "Pat@Example.TEST"])
async def test_claims_become_the_keyed_hash_of_their_address(desk: Desk, written: str) -> None:
    found = await desk.find(desk.request(Claims(email=written, name="Pat")))

    assert found == Findings(claims=ClaimsFound(subject_hash=SUBJECT))
    assert "pat" not in repr(found).lower()


@pytest.mark.parametrize(
    ("claims", "fault"),
    [
        (Claims(name="Pat"), "no_email"),
        (Claims(email="no address"), "claims_unreadable"),
        (b"not json", "claims_unreadable"),
        (b'{"surprise": 1}', "claims_unreadable"),
    ],
)
async def test_claims_that_lead_nowhere_are_a_word(desk: Desk, claims: Claims | bytes, fault: str) -> None:
    found = await desk.find(desk.request(claims))

    assert found.claims is not None
    assert (found.claims.subject_hash, found.claims.fault) == (None, fault)


@pytest.mark.parametrize(("minutes", "fresh"), [(1, True), (10, True), (11, False)])
async def test_an_account_is_fresh_for_ten_minutes_after_signing_in(
    desk: Desk, minutes: int, *, fresh: bool
) -> None:
    token = desk.provider.assertion(EMAIL, signed_in_at=NOW - minutes * MINUTE)

    from_request = await desk.find(desk.request(Claims(email=EMAIL), token))
    from_command = await desk.find(desk.presentation(token))

    expected = AssertionFound(email_hashes=(SUBJECT,), fresh=fresh)
    assert from_request.assertion == from_command.assertion == expected


@pytest.mark.parametrize(
    ("claims", "refused"),
    [
        ({"email_verified": False}, "email_not_verified"),
        ({"email": None}, "email_not_verified"),
        ({"email": "no address"}, "email_not_verified"),
        ({"aud": "somebody else"}, "audience"),
        ({"exp": int((NOW - 5 * MINUTE).timestamp())}, "expired"),
        ({"iss": "https://id.elsewhere.test"}, "issuer"),
    ],
)
async def test_an_assertion_that_does_not_count_is_a_word(
    desk: Desk, claims: dict[str, Any], refused: str
) -> None:
    token = desk.provider.assertion(EMAIL, **{"signed_in_at": NOW - MINUTE, **claims})

    found = await desk.find(desk.presentation(token))

    assert found.assertion == AssertionFound(refused=refused)


async def test_an_account_of_another_business_is_not_believed(desk: Desk, tmp_path: Path) -> None:
    other = IdentityProvider("https://id.summit.test")
    other.publish(tmp_path, "summit")

    found = await desk.find(desk.presentation(other.assertion(EMAIL, signed_in_at=NOW)))

    assert found.assertion == AssertionFound(refused="signature")


@pytest.mark.parametrize("token", [b"", b"\xff\xfe", b"a.b.c", b"x" * 20_000])
async def test_bytes_that_are_no_assertion_are_a_word(desk: Desk, token: bytes) -> None:
    found = await desk.find(desk.presentation(token))

    assert found.assertion == AssertionFound(refused="malformed")


async def test_a_code_stays_secret(desk: Desk) -> None:
    found = await desk.find(desk.code("12345678"))

    assert isinstance(found.code, Secret)
    assert found.code.reveal() == "12345678"
    assert "12345678" not in repr(found)


async def test_what_was_sealed_for_another_message_is_not_opened(desk: Desk) -> None:
    request, code = desk.request(Claims(email=EMAIL)), desk.code("12345678")

    moved = replace(request, id=uuid4())
    wrong = replace(code, id=uuid4())

    assert (await desk.find(moved)).claims == ClaimsFound(fault="claims_unreadable")
    assert (await desk.find(wrong)).code is None


async def test_a_destroyed_key_is_a_word_too(desk: Desk) -> None:
    request = desk.request(Claims(email=EMAIL), b"token")
    await desk.vault.destroy([REQUEST], "test")

    found = await desk.find(request)

    assert found.claims == ClaimsFound(fault="claims_unreadable")
    assert found.assertion == AssertionFound(refused="unreadable")


async def test_a_batch_opens_its_keys_in_one_call_and_other_messages_open_none(tmp_path: Path) -> None:
    store = CountingStore()
    desk = Desk(tmp_path, store)
    await desk.open_request()
    store.calls.clear()
    reader = Prepare(
        Vault(store, desk.vault._kek, monotonic=lambda: 0.0),  # noqa: SLF001 - another process over one store
        KEYRING,
        Trust(lambda _business: (), "habeas", timedelta()),
    )
    closed = desk.messages.event(facts.closed(), at=NOW)

    await reader([closed])
    found = await reader([desk.request(Claims(email=EMAIL)), closed, desk.code("1")])

    assert store.calls == [[REQUEST]]
    assert found[1] == Findings()


class CountingStore(MemoryKeyStore):
    """Remembers which keys were asked for together."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[UUID]] = []

    async def open(self, request_ids: Sequence[UUID]) -> Sequence[StoredKey]:
        self.calls.append(list(request_ids))
        return await super().open(request_ids)


async def test_a_key_rotation_between_request_and_sign_in_is_not_in_the_way(
    desk: Desk, tmp_path: Path
) -> None:
    rotated = HmacKeyring("2", {**KEYRING.keys, "2": Secret(b"n" * 32)})
    trust = Trust(IssuerFolder(tmp_path).of, "habeas", timedelta(minutes=10))
    token = desk.provider.assertion(EMAIL, signed_in_at=NOW)

    [found] = await Prepare(desk.vault, rotated, trust)([desk.presentation(token)])

    assert found.assertion is not None
    assert SUBJECT in found.assertion.email_hashes


async def test_from_sealed_claims_to_a_verified_subject(desk: Desk) -> None:
    driver = DomainDriver(VerificationDomain(KEYRING), NOW)
    request = desk.request(Claims(email=EMAIL))
    driver.deliver(replace(request, facts=await desk.find(request)))
    [notice] = [one for one in driver.sent if isinstance(one.body, SendNotice)]

    answer = desk.code(notice.opened("code").decode())
    step = driver.deliver(replace(answer, facts=await desk.find(answer)))

    [concluded] = step.bodies(VerificationConcluded)
    assert (concluded.conclusion, concluded.subject_hash) == ("verified", SUBJECT)
