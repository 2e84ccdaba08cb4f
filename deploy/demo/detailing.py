"""The company that details cars: it reads its mail, crosses people off its appointments, and answers by mail.

At Cascadia Motors somebody reads the answer, and ends the task with it.
"""

import asyncio
import email
import json
import smtplib
from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import UUID

from deploy.demo.cascadia.people import Person
from deploy.demo.hands import end
from deploy.demo.told_proof import Receipts, still_there, wrongly_heard
from deploy.demo.watch import Watch
from shared.private_files import write_private
from shared.settings import Settings

SYSTEM = "cascadia-detailing"
RIGHTS = ("delete",)
OFFICE, PRIVACY = "office@bright-detailing.example", "privacy@cascadia.example"
READS_EVERY = 0.5


class Detailing:
    """Its appointments, and the mail of everybody, of which it reads its own."""

    def __init__(self, settings: Settings, mail: Path) -> None:
        self._settings = settings
        self._mail = mail
        self._read: dict[Path, EmailMessage] = {}
        self._answered: set[str] = set()
        self._ended: set[tuple[UUID, str]] = set()
        self._before: frozenset[str] = frozenset()
        self._appointments: set[str] = set()

    def furnish(self, people: Iterable[Person]) -> None:
        """Everybody has been there once; and say where letters are handed in."""
        self._before = frozenset(person.email.lower() for person in people)
        self._appointments = set(self._before)
        server = f"smtp://{self._settings.smtp_host}:{self._settings.smtp_port}"
        write_private(self._settings.home / "cascadia" / f"{SYSTEM}.url", server.encode())

    async def work(self, watch: Watch) -> None:
        """Read and answer the mail of both sides, until canceled."""
        while True:
            await asyncio.to_thread(self.answer_mail)
            for one, order in self._waiting(watch):
                await self._end(one, order)
            await asyncio.sleep(READS_EVERY)

    def answer_mail(self) -> None:
        """What the company does with each letter that is new; one that comes again is the same letter."""
        for letter in self._letters(OFFICE):
            name = str(letter["Message-ID"])
            if name not in self._answered:
                self._appointments -= {person for _, person in _orders(letter)}
                self._post(letter)
                self._answered.add(name)

    def findings(self, receipts: Receipts) -> Iterator[str]:
        """What is wrong, by the letters that arrived and by its appointments."""
        letters = {str(letter["Message-ID"]): letter for letter in self._letters(OFFICE)}
        heard = [each for letter in letters.values() for each in _orders(letter)]
        yield from wrongly_heard(SYSTEM, RIGHTS, heard, receipts)
        yield from still_there(SYSTEM, self._appointments, self._before, receipts)
        if left := letters.keys() - self._answered:
            yield f"{SYSTEM} has not answered {len(left)} letters"

    def _letters(self, to: str) -> list[EmailMessage]:
        for file in sorted(set(self._mail.glob("*.eml")) - self._read.keys()):
            message = email.message_from_bytes(file.read_bytes(), policy=default)
            if isinstance(message, EmailMessage):
                self._read[file] = message
        return [message for message in list(self._read.values()) if message["To"] == to]

    def _post(self, letter: EmailMessage) -> None:
        answer = EmailMessage()
        answer["From"], answer["To"] = OFFICE, PRIVACY
        answer["Subject"] = f"Re: {letter['Subject']}"
        answer["In-Reply-To"] = str(letter["Message-ID"])
        answer["Message-ID"] = str(letter["Message-ID"]).replace("<", "<done-", 1)
        answer.set_content("Crossed out of our appointments. Bright Detailing")
        with smtplib.SMTP(self._settings.smtp_host, self._settings.smtp_port, timeout=30) as server:
            server.send_message(answer)

    def _waiting(self, watch: Watch) -> list[tuple[tuple[UUID, str], str]]:
        """The tasks whose letter was answered, each with the name of its order."""
        answered = {_name(str(one["In-Reply-To"])) for one in self._letters(PRIVACY)}
        found = []
        for one, reason in list(watch.by_hand.items()):
            order = next((each for each in answered if each in reason), None)
            if SYSTEM in one[1] and order is not None and one not in self._ended:
                found.append((one, order))
        return found

    async def _end(self, one: tuple[UUID, str], order: str) -> None:
        reason = "the company answered that it crossed the person out"
        await end(self._settings, one, "done", reason, f"answer-by-mail/{order}")
        self._ended.add(one)


def _name(message_id: str) -> str:
    """A letter is called by its order."""
    return message_id.strip("<>").partition("@")[0]


def _orders(letter: EmailMessage) -> list[tuple[str, str]]:
    """The right and the addresses that a letter's file names."""
    (beside,) = letter.iter_attachments()
    order = json.loads(beside.get_content())
    return [(order["right"], one["email"].lower()) for one in order["subjects"]]
