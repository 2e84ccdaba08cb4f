"""Sends one notice: opens who it goes to, renders it, hands it over, and says when.

A notice cannot be proved: it goes out at least once, always under the same Message-ID.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.intake.domain import Letter
from services.intake.domain.handing_over import notice_id
from services.intake.notices.rendering import Rendering
from services.intake.notices.texts import Addressed
from services.intake.ports import Accepted, Handover, KeptFields, MailServer, Rejected, Unsealer
from shared.clock import Clock
from shared.privacy import Claims
from shared.tasks.work import Again, Answer, Calling, Claimed, Finished
from shared.vault.errors import KeyDestroyed, KeyUnknown

LONGEST_WAIT: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class NoticeHandler:
    """The handler `notice`."""

    tables: KeptFields
    vault: Unsealer
    rendering: Rendering
    server: MailServer
    clock: Clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Send it, or send it again: the Message-ID lets the receiver see one notice."""
        letter = Letter.model_validate(task.body)
        opened = await self._open(task.request_id, letter)
        if isinstance(opened, Finished):
            return opened
        claims, code = opened
        if claims.email is None:
            return Finished("needs_person", {"reason": "no_address"})
        known_as = notice_id(task.request_id, task.key)
        addressed = Addressed(
            task.request_id, known_as, claims.email, code, self.clock.now(), claims.language or "en"
        )
        message = self.rendering.message(letter, addressed)
        if not await calling(idempotency_key=str(known_as)):
            return Finished("canceled", {"reason": "not_permitted"})
        return self._answer(await self.server.hand_over(message), known_as, task.attempts)

    async def _open(self, request_id: UUID, letter: Letter) -> tuple[Claims, str | None] | Finished:
        names = ["claims", *([letter.code_name] if letter.code_name else [])]
        kept = await self.tables.kept(request_id, names)
        await self.vault.prefetch([request_id])
        try:
            opened = {
                name: self.vault.open(request_id, field.message_id, field.field, field.sealed)
                for name, field in kept.items()
            }
        except (KeyDestroyed, KeyUnknown):
            return Finished("canceled", {"reason": "key_destroyed"})
        return Claims.from_bytes(opened["claims"]), _code(opened, letter)

    def _answer(self, handover: Handover, known_as: UUID, attempts: int) -> Answer:
        if isinstance(handover, Accepted):
            result = {"notice_id": str(known_as), "handed_over_at": handover.at.isoformat()}
            return Finished("done", result)
        if isinstance(handover, Rejected):
            return Finished("needs_person", {"reason": handover.reason})
        wait = min(timedelta(seconds=2 ** min(attempts, 10)), LONGEST_WAIT)
        return Again(wait, handover.reason, ambiguous=handover.uncertain)


def _code(opened: Mapping[str, bytes], letter: Letter) -> str | None:
    return opened[letter.code_name].decode() if letter.code_name else None
