"""Collecting an answer: who holds the request's secret confirms once more who they are, and gets a link for one use.

A code of the mail or the account's sign-in confirms. Secrets arrive here as hashes alone.
"""

from datetime import datetime, timedelta

from services.intake.domain.case import Collecting, IntakeCase
from services.intake.domain.hearing import Heard, Verdict, refused, unchanged
from services.intake.domain.letter import letter
from services.intake.domain.planning import plan_notice
from services.intake.messages import ConfirmCollecting, SendCollectingCode, UseLink
from shared.machine.decision import Decision, Kept

CODE_LIVES = timedelta(minutes=30)
LINK_LIVES = timedelta(minutes=15)
MOST_CODES = 5
MOST_TRIES = 5
COLLECTING = "notice:collecting:"


def code_asked(case: IntakeCase, heard: Heard) -> Verdict:
    """Mail a fresh code; the one before it counts no more."""
    body = heard.message.body
    if not isinstance(body, SendCollectingCode):
        raise TypeError
    known = case.collecting or Collecting()
    key = f"{COLLECTING}{heard.message.id}"
    if key in case.notices:
        return unchanged(case)
    refusal = _nothing(case) or ("too_many_codes" if known.codes >= MOST_CODES else None)
    if refusal is not None:
        return refused(case, refusal)
    until = heard.context.now + CODE_LIVES
    name = f"code:{heard.message.id}"
    note = letter(case, "verification_code", code_name=name, expires_at=until, collecting=True)
    update = {"code": body.code_hash, "code_until": until, "codes": known.codes + 1, "tries": 0}
    asked = case.model_copy(update={"collecting": known.model_copy(update=update)})
    planned = plan_notice(asked, key, note, urgency=until, send_by=until)
    return Decision(
        planned.case, tasks=planned.tasks, keep=(Kept(name, heard.message.id, "code", body.sealed),)
    )


def confirmed(case: IntakeCase, heard: Heard) -> Verdict:
    """Who confirms gets the link; a wrong code is counted, which is no refusal: the case remembers it."""
    body = heard.message.body
    if not isinstance(body, ConfirmCollecting):
        raise TypeError
    known = case.collecting or Collecting()
    refusal = _nothing(case) or (None if body.by_account else _spent(known, heard.context.now))
    if refusal is not None:
        return refused(case, refusal)
    if body.by_account or known.code in body.code_hashes:
        until = heard.context.now + LINK_LIVES
        update = {"code": "", "link": body.link_hash, "link_until": until}
    else:
        update = {"tries": known.tries + 1}
    return unchanged(case.model_copy(update={"collecting": known.model_copy(update=update)}))


def link_used(case: IntakeCase, heard: Heard) -> Verdict:
    """A link is good once, and not for long."""
    body = heard.message.body
    if not isinstance(body, UseLink):
        raise TypeError
    known = case.collecting
    if known is None or not known.link or known.link != body.link_hash or known.link_until is None:
        return refused(case, "link_unknown")
    if heard.context.now >= known.link_until:
        return refused(case, "link_expired")
    return unchanged(case.model_copy(update={"collecting": known.model_copy(update={"link": ""})}))


def _nothing(case: IntakeCase) -> str | None:
    return None if case.ending is not None and case.ending.package is not None else "no_package"


def _spent(known: Collecting, now: datetime) -> str | None:
    if not known.code or known.code_until is None or now >= known.code_until:
        return "code_expired"
    return "code_spent" if known.tries >= MOST_TRIES else None
