"""How vendors behave who are not at their best: away, late, silent, unwilling, mistaken, or not who they say they are.

None of it moves anything that it should not, and no request ends before each vendor's word, or a person's in its place.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from deploy.commands import decide
from deploy.demo.plan import DIFFICULT, Ask, Role
from deploy.demo.vendor_words import Directive, VendorAtHand
from deploy.demo.world import World
from shared.events.commands import CompleteTask
from shared.signing import KeyRing

MAIL, ADS = "evergreen-mail", "meridian-audiences"
UNTIL_A_REMINDER = timedelta(days=3, minutes=1)
DISSOLVED = "Its office closed in May, and nobody answers its mail or telephone any more."
ON_PAPER = "It printed the address in 40,000 brochures that were posted in spring, and keeps no list of them."
WAIT_SECONDS = 120.0
Submit = Callable[[Ask[Any]], Awaitable[UUID]]


@dataclass
class VendorStory:
    """Three people ask while one vendor's computer is away, and somebody else speaks in the other's name."""

    world: World
    say: Callable[[str], None]
    answered: list[tuple[str, str]] = field(default_factory=list)
    """What should have been said to each word, and what was."""

    async def tell(self, asks: dict[Role, Ask[Any]], submit: Submit) -> None:
        """Until the three are ended as they should.

        Raises:
            TimeoutError: something did not happen; the text says what.
        """
        vendors, settings, clock = self.world.vendors, self.world.settings, self.world.clock
        self.say("both vendors' programs stop; three people ask, and the vendors are told all the same")
        await asyncio.to_thread(vendors.stop)
        async with (
            VendorAtHand(settings, MAIL, clock) as mail,
            VendorAtHand(settings, ADS, clock, group=False) as ads,
        ):
            slow, mute, unwilling = [await submit(asks[role]) for role in DIFFICULT]
            first = await mail.hears(slow)
            await self._mistaken(mail, first, await ads.hears(slow))
            self.say("3 days pass: both are reminded; one answers late, one will not, one stays silent")
            clock.advance(UNTIL_A_REMINDER)
            again = await mail.hears(slow, 2)
            await self._late(mail, again, asks["slow"])
            await self._will_not(mail, await mail.hears(unwilling, 2))
            vendors.start(ADS)
            await self._ended(slow, unwilling)
            await self._refused("already_ended", mail.received(again))
            await self._silent(mail, mute)
        self.say("both programs are back; one has lost its place and reads everything from the beginning")
        await asyncio.to_thread(vendors.stop)
        await vendors.forget_place(ADS)
        await self._read_again(slow, mute, unwilling)

    async def corrected(self, request_id: UUID) -> None:
        """Its program only says that it has the letter: what is wrong is in words, and somebody there does it."""
        async with VendorAtHand(self.world.settings, MAIL, self.world.clock, group=False) as mail:
            about = await mail.hears(request_id)
            await self._answer_to(await mail.received(about))  # its program may have said so before
            await self._accepted(mail.completed(about))

    async def _mistaken(self, mail: VendorAtHand, about: Directive, others: Directive) -> None:
        """Everything that a vendor may not say, or somebody in its name."""
        self.say(f"somebody says in {MAIL}'s name what they may not")
        unknown = Directive(about.request_id, uuid4(), 1)
        await self._refused("signature_invalid", mail.received(about, signs=KeyRing.generate()))
        await self._refused("another_vendor", mail.received(about, source=f"vendor/{ADS}"))
        await self._refused("another_vendors_directive", mail.received(others))
        await self._refused("unknown_directive", mail.received(unknown))
        await self._refused("out_of_order", mail.completed(about))

    async def _late(self, mail: VendorAtHand, about: Directive, ask: Ask[Any]) -> None:
        """It does it after all, and says everything twice."""
        self.world.vendors.erase(MAIL, ask.person.email)
        await self._accepted(mail.received(about))
        await self._refused("already_received", mail.received(about))
        await self._accepted(mail.completed(about))
        await self._refused("already_settled", mail.completed(about))

    async def _will_not(self, mail: VendorAtHand, about: Directive) -> None:
        await self._accepted(mail.received(about))
        await self._accepted(mail.refuses(about, "disproportionate"))
        await self._by_person(about.request_id, "refused", "disproportionate", ON_PAPER)

    async def _silent(self, mail: VendorAtHand, request_id: UUID) -> None:
        self.world.clock.advance(UNTIL_A_REMINDER)
        await mail.hears(request_id, 3)
        self.world.clock.advance(UNTIL_A_REMINDER)
        self.say("9 days and two reminders later the silent one is a person's task, who finds out why")
        await self._by_person(request_id, "unanswered", "impossible", DISSOLVED)
        await self._ended(request_id)
        await self._refused("already_ended", mail.received(await mail.hears(request_id)))

    async def _by_person(self, request_id: UUID, kind: str, outcome: Any, facts: str) -> None:
        """A person gets the task and ends the wait, with the facts that the requester reads."""
        watch = self.world.watch
        await watch.until(
            lambda: (request_id, MAIL) in watch.needs_person,
            seconds=WAIT_SECONDS,
            what=f"a person's task: {MAIL} {kind}",
        )
        task, said = watch.needs_person[request_id, MAIL]
        if said != kind:
            raise TimeoutError(f"{task} needs a person for being {said}, and not {kind}")
        word = CompleteTask(task=task, outcome=outcome, actor="demo-operator", reason=facts)
        answer = await decide(self.world.settings, request_id, word)
        if answer.state != "accepted":
            raise TimeoutError(f"{task}: the person's word was {answer.state} {answer.reason}")

    async def _ended(self, *requests: UUID) -> None:
        watch = self.world.watch
        await watch.until(
            lambda: all(one in watch.seen and watch.seen[one].closed for one in requests),
            seconds=WAIT_SECONDS,
            what=f"{len(requests)} requests with difficult vendors were closed",
        )

    async def _read_again(self, *requests: UUID) -> None:
        """Its program answers every directive once more, and nobody listens."""
        watch = self.world.watch
        before = {one: watch.refusals[one]["already_ended"] for one in requests}
        self.world.vendors.start()
        await watch.until(
            lambda: all(watch.refusals[one]["already_ended"] > number for one, number in before.items()),
            seconds=WAIT_SECONDS,
            what=f"{ADS} read its directives again",
        )

    async def _accepted(self, word: Awaitable[UUID]) -> None:
        await self._refused("accepted", word)

    async def _refused(self, reason: str, word: Awaitable[UUID]) -> None:
        self.answered.append((reason, await self._answer_to(await word)))

    async def _answer_to(self, word: UUID) -> str:
        watch = self.world.watch
        await watch.until(
            lambda: str(word) in watch.answered, seconds=WAIT_SECONDS, what="an answer to a vendor's word"
        )
        return watch.answered[str(word)]
