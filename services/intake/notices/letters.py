"""A request's letter on paper: again, for who shows the request's secret, and to be posted, for staff."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from services.intake.domain import IntakeCase, Letter
from services.intake.domain.case import ANSWER
from services.intake.domain.handing_over import notice_id
from services.intake.domain.planning import answer_of
from services.intake.notices.paper import paper
from services.intake.notices.texts import Addressed, Texts
from services.intake.ports import KeptFields, Unsealer
from shared.clock import Clock
from shared.privacy import Claims
from shared.vault.errors import KeyDestroyed, KeyUnknown, VaultError


class LetterGoneError(Exception):
    """The request's key was destroyed: nobody knows any more in which language the person wrote."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Makes the letters of a request."""

    tables: KeptFields
    vault: Unsealer
    texts: Texts
    clock: Clock

    async def of(self, request_id: UUID, case: IntakeCase) -> bytes | None:
        """What was answered, as a tagged PDF; None where nothing is answered yet."""
        if case.clocks is None or case.ending is None:
            return None
        letter: Letter = answer_of(case, case.ending).model_copy(update={"give_access_key": False})
        claims = await self._claims(request_id)
        at = case.answered_at or self.clock.now()
        to = Addressed(
            request_id,
            notice_id(request_id, ANSWER),
            email="",
            code=None,
            at=at,
            language=(claims and claims.language) or "en",
        )
        return await asyncio.to_thread(paper, self.texts, letter, to)

    async def to_post(self, request_id: UUID, key: str, letter: Letter) -> bytes:
        """A notice that no mail could take, as a tagged PDF."""
        by_hand = letter.model_copy(update={"by_hand": True, "give_access_key": False})
        to = await self.addressed_by_hand(request_id, key)
        return await asyncio.to_thread(paper, self.texts, by_hand, to)

    async def addressed_by_hand(self, request_id: UUID, key: str) -> Addressed:
        """Where it goes: the name and the address that the person gave, in their language."""
        claims = await self._claims(request_id)
        return Addressed(
            request_id,
            notice_id(request_id, key),
            email="",
            code=None,
            at=self.clock.now(),
            language=(claims and claims.language) or "en",
            lines=_lines(claims) if claims else (),
        )

    async def _claims(self, request_id: UUID) -> Claims | None:
        kept = (await self.tables.kept(request_id, ["claims"])).get("claims")
        if kept is None:
            return None
        await self.vault.prefetch([request_id])
        try:
            opened = self.vault.open(request_id, kept.message_id, kept.field, kept.sealed)
        except (KeyDestroyed, KeyUnknown):
            raise LetterGoneError from None
        except VaultError:
            return None
        return Claims.from_bytes(opened)


def _lines(claims: Claims) -> tuple[str, ...]:
    return (*((claims.name,) if claims.name else ()), *(claims.postal_address or ()))
