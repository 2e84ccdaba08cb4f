"""A notice's task: opened, sent under one id however often, stopped when it must not go out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.intake.desk import offered_regimes
from services.intake.notices import NoticeHandler, Rendering, Texts
from services.intake.notices.rendering import Sender
from services.intake.ports import Accepted, Handover, Later, Rejected
from services.intake.settings import Business
from shared.machine.decision import Kept
from shared.privacy import Claims
from shared.tasks.work import Again, Claimed, Finished
from shared.vault import Vault
from tests.support.front_desk import NOW, StandingClock
from tests.support.memory_vault import memory_vault

REQUEST = UUID("7de025f4-a629-458b-8b68-bf6344ef7257")
TASK = UUID("1728a55c-7471-4514-befe-9364f50e2090")
ACKNOWLEDGEMENT = {
    "kind": "acknowledgement",
    "business": "cascadia",
    "regime": "us-ca-ccpa",
    "right": "delete",
    "received_on": "2026-02-02",
    "answer_by": "2026-03-19",
    "verify_by": "2026-03-09",
}


@dataclass
class MailInMemory:
    """A mail server that answers as it is told."""

    answers: list[Handover] = field(default_factory=lambda: [Accepted(NOW)])
    got: list[EmailMessage] = field(default_factory=list)

    async def hand_over(self, message: EmailMessage) -> Handover:
        self.got.append(message)
        return self.answers.pop(0)


@dataclass
class KeptInMemory:
    """Kept fields by name."""

    fields: dict[str, Kept] = field(default_factory=dict)

    async def kept(self, request_id: UUID, names: Sequence[str]) -> dict[str, Kept]:
        assert request_id == REQUEST
        return {name: self.fields[name] for name in names if name in self.fields}


@dataclass
class Desk:
    """The handler with everything around it in memory."""

    vault: Vault = field(default_factory=memory_vault)
    tables: KeptInMemory = field(default_factory=KeptInMemory)
    mail: MailInMemory = field(default_factory=MailInMemory)
    may_call: bool = True
    called: int = 0

    async def keep(self, name: str, plaintext: bytes) -> None:
        await self.vault.create([REQUEST])
        message_id = uuid4()
        sealed = self.vault.seal(REQUEST, message_id, name, plaintext)
        self.tables.fields[name] = Kept(name, message_id, name, sealed)

    async def run(self, **more: Any) -> Finished | Again:
        sender = Sender("privacy@cascadia.test", "cascadia.test")
        texts = Texts({"cascadia": Business(name="C")}, offered_regimes(), lambda _: "key")
        rendering = Rendering(texts, sender)
        handler = NoticeHandler(self.tables, self.vault, rendering, self.mail, StandingClock())
        return await handler.run(claimed(**more), self._calling)

    async def _calling(self, **_: Any) -> bool:
        self.called += 1
        return self.may_call


def claimed(**more: Any) -> Claimed:
    given = {
        "task_id": TASK, "request_id": REQUEST, "key": "notice:acknowledgement", "handler": "notice",
        "purpose": "notice", "body": ACKNOWLEDGEMENT, "epoch": 1, "attempts": 1, "settle": False, "urgency": NOW,
    }  # fmt: skip
    return Claimed(**{**given, **more})


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.keep("claims", Claims(email="ada@example.com").to_bytes())
    return made


async def test_a_notice_is_done_when_the_server_took_it(desk: Desk) -> None:
    ended = await desk.run()

    assert isinstance(ended, Finished)
    assert ended.status == "done"
    assert ended.result["handed_over_at"] == NOW.isoformat()
    assert desk.mail.got[0]["Message-ID"] == f"<{ended.result['notice_id']}@cascadia.test>"


async def test_sent_again_after_a_crash_it_is_the_same_notice(desk: Desk) -> None:
    desk.mail.answers = [Later("timeout", uncertain=True), Accepted(NOW)]

    first = await desk.run()
    second = await desk.run(settle=True, attempts=2)

    assert first == Again(timedelta(seconds=2), "timeout", ambiguous=True)
    assert isinstance(second, Finished)
    assert len({message["Message-ID"] for message in desk.mail.got}) == 1


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (5, 32), (40, 900)])
async def test_a_server_that_is_away_is_asked_ever_more_rarely(
    desk: Desk, attempts: int, seconds: int
) -> None:
    desk.mail.answers = [Later("ConnectError")]

    assert await desk.run(attempts=attempts) == Again(timedelta(seconds=seconds), "ConnectError")


async def test_an_address_that_is_refused_for_good_is_a_persons_work(desk: Desk) -> None:
    desk.mail.answers = [Rejected("address_refused")]

    assert await desk.run() == Finished("needs_person", {"reason": "address_refused"})


async def test_without_an_address_nothing_is_called() -> None:
    desk = Desk()
    await desk.keep("claims", Claims(phone="+14155552671").to_bytes())

    assert await desk.run() == Finished("needs_person", {"reason": "no_address"})
    assert desk.called == 0


async def test_what_must_not_go_out_any_more_does_not(desk: Desk) -> None:
    desk.may_call = False

    assert await desk.run() == Finished("canceled", {"reason": "not_permitted"})
    assert desk.mail.got == []


async def test_once_the_key_is_destroyed_nobody_can_be_written_to(desk: Desk) -> None:
    await desk.vault.destroy([REQUEST], "closed")

    assert await desk.run() == Finished("canceled", {"reason": "key_destroyed"})


async def test_a_code_is_opened_for_its_own_notice_alone(desk: Desk) -> None:
    await desk.keep("code:7", b"493027")
    body = {**ACKNOWLEDGEMENT, "kind": "verification_code", "code_name": "code:7"}

    await desk.run(body=body)

    assert "493027" in desk.mail.got[0].get_content()
