"""What a person is answered, in their language, and how they get at it: through real mail, over real HTTP."""

import io
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pyzipper

from deploy.cli.letters_desk import print_letter, waiting_letters
from shared.events.commands import RecordHandover
from shared.events.intake import NoticeFailed
from tests.support.archives import document_of
from tests.support.eventually import eventually_async
from tests.support.mailbox import Mail
from tests.support.requester import Requester, ask
from tests.support.running import Running
from tests.support.town import has_everything

pytestmark = pytest.mark.connected
PASSWORD = "correct horse battery"


async def test_who_asks_in_spanish_is_answered_in_spanish_by_mail_and_on_paper(running: Running) -> None:
    person = running.town.somebody(has_everything)

    requester = await ask(running, person, "delete", language="es")
    closed = await requester.closed()
    mail = await told(requester, "Nuestra respuesta a su solicitud de privacidad")

    assert closed.resolution == "partial"
    words = " ".join(mail.text.split())
    assert "Borramos su información personal, excepto la parte que nombramos abajo." in words
    assert "- Gestión de relaciones con clientes:" in words
    assert "para cumplir una obligación legal (Civ. Code 1798.105(d)(8))" in words
    letter = await requester.get("letter")
    assert (letter.status_code, letter.content[:5]) == (httpx2.codes.OK, b"%PDF-")


async def test_an_answer_is_fetched_once_with_the_code_that_was_mailed_for_it(running: Running) -> None:
    person = running.town.somebody(has_everything)
    requester = await ask(running, person, "know_specific")
    await requester.closed()

    assert (await requester.post("package/code")).status_code == httpx2.codes.ACCEPTED
    mail = await told(requester, "Your verification code")
    link = (await requester.post("package/link", {"code": mail.code})).json()["link"]
    answer = await running.http.post(f"{running.intake}{link}", json={"password": PASSWORD})
    again = await running.http.get(f"{running.intake}{link}")

    assert "collect our answer" in mail.text
    with pyzipper.AESZipFile(io.BytesIO(answer.content)) as locked:
        archive = locked.read("habeas-answer.zip", pwd=PASSWORD.encode())
    assert document_of(archive)["request_id"] == str(requester.request_id)
    assert again.status_code == httpx2.codes.NOT_FOUND


async def test_who_has_no_e_mail_is_answered_by_a_letter_that_somebody_posts(
    running: Running, tmp_path: Path
) -> None:
    person = running.town.somebody(has_everything)
    caller = {"email": None, "channel": "phone", "postal_address": ["12 Oak Street", "Fresno, CA 93701"]}

    requester = await ask(running, person, "opt_out", via="kafka", proof="none", name="Ada L.", **caller)
    await running.tape.wait(requester.request_id, NoticeFailed)
    home, request_id = running.settings.home, requester.request_id
    [waits] = [one for one in await waiting_letters(home) if one.request_id == request_id]
    printed, archive = await print_letter(home, request_id, None, tmp_path / "letter.pdf", None)
    today = running.clock.now().astimezone(ZoneInfo("America/Los_Angeles")).date()
    posted = RecordHandover(
        notice=waits.key, channel="letter", on=today, evidence="postbook/118", actor="front-desk"
    )
    answer = await running.command(request_id, posted)
    closed = await requester.closed()

    assert (waits.kind, waits.reason, archive, answer) == ("answer", "no_address", None, "accepted")
    assert printed.read_bytes().startswith(b"%PDF-")
    assert (closed.resolution, closed.in_time) == ("complete", True)
    assert request_id not in {one.request_id for one in await waiting_letters(home)}


async def told(requester: Requester, subject: str) -> Mail:
    """The mail about a request with this subject, once it is there."""

    async def look() -> list[Mail]:
        mails = requester.running.mailbox.about(requester.request_id)
        return [mail for mail in mails if mail.subject.startswith(subject)]

    return (await eventually_async(look, within=60))[0]
