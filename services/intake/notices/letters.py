"""The letter that a request was answered with, again, on paper: for who shows the request's secret, and for staff."""

import asyncio
from dataclasses import dataclass
from uuid import UUID, uuid5

from services.intake.domain import IntakeCase, Letter
from services.intake.domain.case import ANSWER
from services.intake.domain.planning import answer_of
from services.intake.notices.handler import NOTICES
from services.intake.notices.paper import paper
from services.intake.notices.texts import Addressed, Texts
from services.intake.ports import KeptFields, Unsealer
from shared.clock import Clock
from shared.privacy import Claims
from shared.privacy.claims import Language
from shared.vault.errors import KeyDestroyed, KeyUnknown, VaultError


class LetterGoneError(Exception):
    """The request's key was destroyed: nobody knows any more in which language the person wrote."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Makes the letter of an answered request."""

    tables: KeptFields
    vault: Unsealer
    texts: Texts
    clock: Clock

    async def of(self, request_id: UUID, case: IntakeCase) -> bytes | None:
        """The letter as a tagged PDF; None where nothing is answered yet."""
        if case.clocks is None or case.ending is None:
            return None
        letter: Letter = answer_of(case, case.ending).model_copy(update={"give_access_key": False})
        language = await self._language(request_id)
        at = case.answered_at or self.clock.now()
        notice_id = uuid5(NOTICES, f"{request_id} {ANSWER}")
        to = Addressed(request_id, notice_id, email="", code=None, at=at, language=language)
        return await asyncio.to_thread(paper, self.texts, letter, to)

    async def _language(self, request_id: UUID) -> Language:
        kept = (await self.tables.kept(request_id, ["claims"])).get("claims")
        if kept is None:
            return "en"
        await self.vault.prefetch([request_id])
        try:
            opened = self.vault.open(request_id, kept.message_id, kept.field, kept.sealed)
        except (KeyDestroyed, KeyUnknown):
            raise LetterGoneError from None
        except VaultError:
            return "en"
        return Claims.from_bytes(opened).language or "en"
