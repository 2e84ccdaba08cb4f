"""The tell task: names the person to a vendor in a letter, which leaves when the task ends; later, looks for its word.

Nothing goes out from here: the letter is a result, and the rules send it in the transaction that takes it in. So a
task that died may compose again, and the vendor is told once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid5

from services.fulfillment import results
from services.fulfillment.domain import Directive
from services.fulfillment.domain.planning import DESTRUCTIVE
from services.fulfillment.holding import KnownBy
from services.fulfillment.ports import NeedsPerson
from services.fulfillment.subjects import Subjects, Wanted
from services.fulfillment.vendors.classification import party_when_it_got_data
from services.fulfillment.vendors.files import OverKafka, Vendor
from services.fulfillment.vendors.letters import naming
from shared.clock import Clock
from shared.events.topics import DIRECTIVES
from shared.events.vendors import Letter, NamedBy
from shared.keyfiles import KeyFiles
from shared.policy.rights import Right
from shared.privacy.claims import Correction
from shared.private_files import KeyFileRefused
from shared.signing import seal_directive
from shared.tasks.work import Again, Answer, Calling, Claimed, Finished

NAMES = UUID("0c0f7a5e-7d1b-5b6e-9d53-6a0f1c6a2b77")
SOON = timedelta(seconds=1)
FOR_THE_ANSWER = timedelta(days=10)
"""What the business keeps for itself between the vendors' word and its own answer's date."""

SHORTEST = timedelta(days=1)
EXPIRES = timedelta(milliseconds=DIRECTIVES.retention_ms)


class ReadsDirectives(Protocol):
    """What a request's case knows of a vendor."""

    async def directive_to(self, request_id: UUID, vendor: str) -> Directive | None:
        """What the vendor was told, if it was."""
        ...


def directive_id(request_id: UUID, vendor: str, right: str) -> UUID:
    """The same whenever it is asked: after a crash, a restore, a replay."""
    return uuid5(NAMES, f"{request_id}/{vendor}/{right}")


@dataclass(frozen=True, slots=True, repr=False)
class Named:
    """The person as the vendor knows them, and what of theirs is wrong."""

    identifiers: tuple[NamedBy, ...]
    corrections: tuple[Correction, ...]


class TellHandler:
    """Tells one vendor, reminds it, and gives up on its silence."""

    def __init__(
        self,
        vendors: Iterable[Vendor],
        subjects: Subjects,
        case: ReadsDirectives,
        keys: KeyFiles,
        clock: Clock,
    ) -> None:
        self._known = KnownBy(keys)
        self._vendors: Mapping[str, tuple[Vendor, OverKafka]] = {
            one.vendor: (one, one.told) for one in vendors if isinstance(one.told, OverKafka)
        }
        self._subjects = subjects
        self._case = case
        self._keys = keys
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Compose the first letter or a reminder, or say why a person has to look."""
        found = self._vendors.get(task.body["system"])
        if found is None:
            return results.person("schema", "the vendor is not described any more")
        vendor, told = found
        known = await self._case.directive_to(task.request_id, vendor.vendor)
        silence = None if known is None else _silence(known, told)
        if silence is not None:
            return silence
        wanted = await self._subjects.wanted(task.request_id, proved=task.body["proved"])
        if isinstance(wanted, NeedsPerson):
            return results.not_yet(wanted)
        named = _named(task, wanted, self._told_of(vendor, wanted), told)
        if isinstance(named, Finished):
            return named
        about = (
            self._known.hashes(vendor.business, wanted.subjects) if task.body["right"] in DESTRUCTIVE else ()
        )
        if not await calling(about=about):
            return Again(SOON, "not permitted now")
        state = self._state(task, told, known).model_copy(update={"title": vendor.title})
        return self._composed(task, vendor, state, named)

    def _told_of(self, vendor: Vendor, wanted: Wanted) -> tuple[Correction, ...]:
        """Who holds data for us corrects it; others get what the person has stated against it (11 CCR 7023(f)(3))."""
        if party_when_it_got_data(vendor, self._clock.now().date()) != "third_party":
            return wanted.corrections
        return tuple(one for one in wanted.corrections if one.statement is not None)

    def _composed(self, task: Claimed, vendor: Vendor, state: Directive, named: Named) -> Answer:
        letter = Letter(
            aud=vendor.vendor,
            jti=state.id,
            iat=int(state.told_at.timestamp()),
            exp=int((state.told_at + EXPIRES).timestamp()),
            request=task.request_id,
            business=vendor.business,
            right=task.body["right"],
            message=state.messages,
            due_at=state.due_at,
            collected_until=datetime.fromisoformat(task.body["cut_off"]),
            identifiers=named.identifiers,
            corrections=named.corrections,
        )
        try:
            ring, keys = self._keys.directives(), self._keys.vendor(vendor.vendor)
        except KeyFileRefused:
            return results.person(
                "credentials", "no key to encrypt to: habeas vendors onboard makes or takes it"
            )
        sealed = seal_directive(letter.model_dump_json().encode(), ring, keys)
        return Finished("done", {"directive": {"state": state.model_dump(mode="json"), "letter": sealed}})

    def _state(self, task: Claimed, told: OverKafka, known: Directive | None) -> Directive:
        now, days = self._clock.now(), told.answers
        if known is not None:
            look_at = now + timedelta(days=days.reminder_days)
            update = {"messages": known.messages + 1, "told_at": now, "look_at": look_at}
            return known.model_copy(update={**update, "again": False, "refused": None})
        due_at = min(now + timedelta(days=days.outcome_days), task.urgency - FOR_THE_ANSWER)
        due_at = max(due_at, now + SHORTEST)
        receipt_by = min(now + timedelta(days=days.receipt_days), due_at)
        return Directive(
            vendor=task.body["system"],
            id=directive_id(task.request_id, task.body["system"], task.body["right"]),
            told_at=now,
            receipt_by=receipt_by,
            due_at=due_at,
            look_at=receipt_by,
        )


def _named(
    task: Claimed, wanted: Wanted, corrections: tuple[Correction, ...], told: OverKafka
) -> Named | Finished:
    """Who it is about, or why nothing is told."""
    named = Named(naming(wanted.subjects, told.identifiers), corrections)
    if not named.identifiers or (wanted.corrections and not corrections):
        return results.nothing(task.body["system"])
    if task.body["right"] == Right.CORRECT and not named.corrections:
        return results.person("schema", "the request does not say what is wrong: tell the vendor yourself")
    return named


def _silence(known: Directive, told: OverKafka) -> Answer | None:
    """What a vendor's word, or the lack of it, asks of a person; None where it is simply told again."""
    if known.settled is not None:
        # Asked for all the same: a restore wants every open task looked at, or the word came just now.
        return Finished("canceled", {"reason": "settled"})
    if known.again:
        return None
    if known.refused is not None:
        return results.person("refused", f"the vendor refused: {known.refused}")
    if known.messages > told.answers.reminders:
        return results.person(
            "unanswered", f"the vendor was told {known.messages} times and did not answer in time"
        )
    return None
