"""Handing an answer over: a code or the account's sign-in confirms once more who asks, then a link opens once."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.answers import RequestStatus
from services.intake.application import read_strictly
from services.intake.counter import Caller, Counter, Proof
from services.intake.domain.collecting import LINK_LIVES
from services.intake.messages import ConfirmCollecting, SendCollectingCode, UseLink
from services.intake.notices.letters import LetterGoneError, Letters
from services.intake.packages import Content, PackageAwayError, PackageGoneError, Packages
from services.intake.ports import KeptFields
from services.intake.problems import ProblemError, failed, unavailable, unreadable
from services.intake.submission import Problem
from shared.database import TRANSIENT
from shared.ids import new_id
from shared.privacy import Claims, HmacKeyring, InvalidIdentifier, lookup_hash, lookup_hashes, normalise_email
from shared.signing import AssertionRefused, TrustedIssuer, check_assertion
from shared.vault.errors import KeyDestroyed, KeyUnknown, VaultError
from shared.vault.vault import Vault

DIGITS: Final = 8
SHORTEST_PASSWORD: Final = 12


class Link(BaseModel):
    """Where the answer can be fetched, once."""

    link: str = Field(repr=False, description="Good for one download. Whoever has it can fetch the answer.")
    expires_at: AwareDatetime


class Password(BaseModel):
    """A password that the downloaded archive is to be protected with."""

    password: str = Field(
        min_length=SHORTEST_PASSWORD, max_length=200, repr=False, description="Not kept; do not forget it."
    )


@dataclass(frozen=True, slots=True)
class Confirms:
    """Whose account assertions are believed, and for whom they must be made."""

    issuers: Callable[[str], Sequence[TrustedIssuer]]
    audience: str


@dataclass(frozen=True, slots=True)
class Collection:
    """The operations around an answer that is ready."""

    counter: Counter
    packages: Packages
    tables: KeptFields
    vault: Vault
    confirms: Confirms
    letters: Letters

    async def letter(self, request_id: str, caller: Caller) -> bytes:
        """What the requester was answered, on paper."""
        found = self.counter.let_in(request_id, caller)
        try:
            made = await self.letters.of(found, await self.counter.case(found))
        except LetterGoneError:
            raise gone() from None
        except TRANSIENT:
            raise unavailable() from None
        if made is None:
            raise ProblemError(404, "no_letter", "This request is not answered yet.")
        return made

    async def send_code(self, request_id: str, caller: Caller) -> RequestStatus:
        """Mail a code to the address of the request."""
        found = self.counter.let_in(request_id, caller)
        await self._open_key(found)
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        message_id = new_id()
        sealed = self.vault.seal(found, message_id, "code", code.encode())
        body = SendCollectingCode(
            code_hash=lookup_hash(self._keyring, "collecting", f"{found}:{code}"), sealed=sealed
        )
        return RequestStatus.of(found, await self.counter.send(found, body, caller, message_id=message_id))

    async def link(self, request_id: str, content: bytes, caller: Caller) -> Link:
        """A link for one download, for who confirms."""
        found = self.counter.let_in(request_id, caller)
        proof = read_strictly(content, Proof)
        if isinstance(proof, tuple):
            raise unreadable(proof)
        if (proof.code is None) == (proof.assertion is None):
            raise unreadable((Problem("one_of", "code", "give either code or assertion"),))
        token = secrets.token_urlsafe(32)
        link_hash = self._link_hash(found, token)
        case = await self.counter.send(found, await self._confirming(found, proof, link_hash), caller)
        if case.collecting is None or case.collecting.link != link_hash:
            raise ProblemError(422, "wrong_code", "This is not the code that was sent last.")
        expires_at = self.counter.clock.now() + LINK_LIVES
        return Link(link=f"/requests/{found}/package/{token}", expires_at=expires_at)

    async def download(self, request_id: str, token: str) -> Content:
        """The answer, for whoever has a link that is still good; it is not good any more then."""
        found = self.counter.known(request_id)
        case = await self.counter.send(found, UseLink(link_hash=self._link_hash(found, token)), Caller())
        if case.ending is None or case.ending.package is None:
            raise failed()
        try:
            return await self.packages.open(found, case.ending.package)
        except PackageGoneError:
            raise gone() from None
        except PackageAwayError:
            raise failed() from None
        except TRANSIENT:
            raise unavailable() from None

    async def _confirming(self, request_id: UUID, proof: Proof, link_hash: str) -> ConfirmCollecting:
        if proof.code is not None:
            hashes = lookup_hashes(self._keyring, "collecting", f"{request_id}:{proof.code}")
            return ConfirmCollecting(code_hashes=hashes, link_hash=link_hash)
        if not await self._is_theirs(request_id, proof.assertion or ""):
            raise ProblemError(
                422, "assertion_not_believed", "Sign in again, to the account of this request."
            )
        return ConfirmCollecting(by_account=True, link_hash=link_hash)

    async def _is_theirs(self, request_id: UUID, assertion: str) -> bool:
        """Whether the account that is signed in has the address of the request."""
        case = await self.counter.case(request_id)
        now = self.counter.clock.now()
        issuers = self.confirms.issuers(case.business)
        found = check_assertion(assertion, issuers, audience=self.confirms.audience, now=now)
        if isinstance(found, AssertionRefused) or not found.email or not found.email_verified:
            return False
        kept = (await self.tables.kept(request_id, ["claims"])).get("claims")
        if kept is None:
            return False
        await self._open_key(request_id)
        try:
            claims = Claims.from_bytes(self.vault.open(request_id, kept.message_id, kept.field, kept.sealed))
            return claims.email is not None and normalise_email(found.email) == normalise_email(claims.email)
        except (KeyDestroyed, KeyUnknown):
            raise gone() from None
        except (VaultError, InvalidIdentifier):
            return False

    async def _open_key(self, request_id: UUID) -> None:
        try:
            await self.vault.prefetch([request_id])
            self.vault.seal(request_id, request_id, "probe", b"")
        except (KeyDestroyed, KeyUnknown):
            raise gone() from None
        except TRANSIENT:
            raise unavailable() from None

    def _link_hash(self, request_id: UUID, token: str) -> str:
        return lookup_hash(self._keyring, "link", f"{request_id}:{token}")

    @property
    def _keyring(self) -> HmacKeyring:
        return self.counter.keyring


def gone() -> ProblemError:
    """The package went with the request's key."""
    return ProblemError(410, "package_gone", "The time to collect the answer is over.")
