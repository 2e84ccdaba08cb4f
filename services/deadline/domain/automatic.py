"""The extension that nobody has to ask for: named open systems are its reason, for as long as they are open.

On the days that the policy names, a request that waits for systems is looked at. It is extended when they are not
expected to be done in time, and on the last of these days whatever is expected. Each day asks once: a notice that
did not go out is tried again on the next.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from services.deadline.domain import extension
from services.deadline.domain.case import DeadlineCase, Draft, Received, Work, regime_of
from services.deadline.domain.work import ANSWER, DECISION, Outlook, Pace, outlook
from shared.policy import WarningTime, extension_looks
from shared.privacy.claims import Language


class Words(NamedTuple):
    """What a delay is explained with."""

    alone: str
    by_hand: str
    answer: str
    more: str


WORDS: Final[Mapping[Language, Words]] = {
    "en": Words(
        "We have not finished our work in these of our systems",
        "One of our staff has to finish the work in these of our systems by hand",
        "putting your answer together",
        " and {left} more",
    ),
    "es": Words(
        "No hemos terminado nuestro trabajo en estos sistemas nuestros",
        "Una persona de nuestro equipo tiene que terminar a mano el trabajo en estos sistemas nuestros",
        "la preparación de su respuesta",
        " y {left} más",
    ),
}
# A notice names a few systems; the journal names all of them.
NAMED: Final = 5


def settle_automatic(draft: Draft, pace: Pace, now: datetime) -> Draft:
    """Ask for the extension's notice where its reasons hold."""
    case, received = draft.case, draft.case.received
    if received is None or not _may_extend(case, received, now):
        return draft
    looks = extension_looks(regime_of(received), received.clocks)
    come = [look for look in looks if look.at <= now]
    if not come or _asked(case, come[-1]):
        return draft
    due = received.clocks.respond_by
    found = outlook(case, pace, due.late_from, now) if due else None
    if found is None or (found.predicted == "in_time" and come[-1] != looks[-1]):
        return draft
    return _asking(draft, received, found, come[-1])


def next_times(case: DeadlineCase, now: datetime) -> list[datetime]:
    """When open systems are looked at next."""
    received = case.received
    if received is None or not _may_extend(case, received, now):
        return []
    return [look.at for look in extension_looks(regime_of(received), received.clocks) if look.at > now]


def _may_extend(case: DeadlineCase, received: Received, now: datetime) -> bool:
    """Whether something is still waited for, and the law would still let the date move."""
    if case.work is None or all(name == DECISION for name in case.work.open):
        return False
    due = received.clocks.respond_by
    over = case.closing or case.ending or case.withdrawn_at or case.answered_at or _is_asked(case)
    return not over and due is not None and now < due.late_from


def _is_asked(case: DeadlineCase) -> bool:
    return case.asks_extension or case.extended


def _asked(case: DeadlineCase, look: WarningTime) -> bool:
    return case.looked is not None and case.looked <= look.days_before


def _asking(draft: Draft, received: Received, found: Outlook, look: WarningTime) -> Draft:
    looked = draft.case.model_copy(update={"looked": look.days_before})
    work = draft.case.work
    reasons = {language: _reasons(found, work, language) for language in WORDS}
    asked = extension.having_sent(looked, received, reasons.pop("en"), reasons)
    return Draft(
        asked.case, draft.events, (*draft.commands, *asked.commands), draft.tasks, draft.closes, draft.refusal
    )


def _reasons(found: Outlook, work: Work | None, language: Language) -> tuple[str, ...]:
    """What the requester reads; Civ. Code 1798.145(h)(1) asks for the reasons of the delay."""
    words, called = WORDS[language], _called(work, language)
    by_hand = [called.get(one.system, one.system) for one in found.waits_for if one.needs_person]
    alone = [called.get(one.system, one.system) for one in found.waits_for if not one.needs_person]
    told = ((words.alone, alone), (words.by_hand, by_hand))
    return tuple(f"{said}: {_named(names, words)}." for said, names in told if names)


def _called(work: Work | None, language: Language) -> dict[str, str]:
    """The systems' names as people know them."""
    named = work.named if work else ()
    titles = {one.system: one.titles.get(language) or one.title for one in named}
    return {**titles, ANSWER: WORDS[language].answer}


def _named(names: list[str], words: Words) -> str:
    left = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (words.more.format(left=left) if left > 0 else "")
