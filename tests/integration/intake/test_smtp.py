"""What each answer of a mail server means for a notice."""

import asyncio
from datetime import timedelta
from email.message import EmailMessage

import pytest

from services.intake.notices import smtp
from services.intake.notices.smtp import SmtpServer
from services.intake.ports import Accepted, Later, Rejected
from tests.support.front_desk import StandingClock
from tests.support.scripted_mail import scripted_mail


def message(to: str = "ada@example.com") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "privacy@cascadia.test", to, "Your request"
    made.set_content("Hello,\n\nwe received it.\n")
    return made


def server(port: int, clock: StandingClock | None = None) -> SmtpServer:
    return SmtpServer(clock=clock or StandingClock(), host="127.0.0.1", port=port, seconds=2)


async def test_a_message_that_the_server_took_is_accepted_at_that_instant() -> None:
    clock = StandingClock()
    clock.time += timedelta(hours=1)

    async with scripted_mail() as mail:
        handover = await server(mail.port, clock).hand_over(message())

    assert handover == Accepted(clock.time)
    assert "we received it." in mail.taken[0]


async def test_a_goodbye_that_fails_takes_nothing_back() -> None:
    async with scripted_mail(quit="hang up") as mail:
        assert isinstance(await server(mail.port).hand_over(message()), Accepted)


@pytest.mark.parametrize(
    ("answers", "handover"),
    [
        ({"rcpt": "550 no such user ada@example.com"}, Rejected("address_refused")),
        ({"rcpt": "553 bad address"}, Rejected("address_refused")),
        ({"rcpt": "450 come back"}, Later("address_refused")),
        ({"rcpt": "452 full"}, Later("address_refused")),
        ({"dot": "554 not this"}, Rejected("message_refused")),
        ({"dot": "451 later"}, Later("message_refused")),
        ({"data": "554 not now"}, Rejected("message_refused")),
        ({"mail": "550 who are you"}, Later("SMTPSenderRefused")),
        ({"connect": "421 busy"}, Later("SMTPConnectResponseError")),
        ({"connect": "hang up"}, Later("SMTPConnectError")),
        ({"dot": "hang up"}, Later("SMTPServerDisconnected", uncertain=True)),
    ],
)
async def test_each_trouble_is_a_value(answers: dict[str, str], handover: Rejected | Later) -> None:
    async with scripted_mail(**answers) as mail:
        found = await server(mail.port).hand_over(message())

    assert found == handover
    assert mail.taken == []


async def test_a_server_that_says_nothing_is_left_in_time_and_may_have_taken_it() -> None:
    async with scripted_mail(dot="say nothing") as mail:
        slow = SmtpServer(clock=StandingClock(), host="127.0.0.1", port=mail.port, seconds=0.05)
        found = await slow.hand_over(message())

    assert isinstance(found, Later)
    assert found.uncertain


async def test_a_notice_that_never_had_a_connection_was_certainly_not_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtp, "WAIT_SECONDS", 0.01)
    async with scripted_mail() as mail:
        busy = SmtpServer(StandingClock(), "127.0.0.1", mail.port, free=asyncio.Semaphore(0))
        found = await busy.hand_over(message())

    assert found == Later("busy")
    assert mail.taken == []


async def test_no_server_at_all_is_waited_for() -> None:
    async with scripted_mail() as mail:
        gone = mail.port

    found = await server(gone).hand_over(message())

    assert isinstance(found, Later)
    assert not found.uncertain


def test_the_password_does_not_show() -> None:
    assert "hunter2" not in repr(SmtpServer(StandingClock(), "h", 25, "tls", "u", "hunter2"))
