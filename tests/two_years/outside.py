"""What is around the services: the person who asks, their mailbox, the systems, a vendor, an officer."""

import random
from datetime import timedelta
from typing import Any, Final
from uuid import uuid5

from services.fulfillment.domain import Directive
from services.fulfillment.domain.planning import WAIT
from services.intake.messages import SubmitRequest, WithdrawRequest
from services.verification.domain import Findings
from shared.events.commands import (
    AnswerChallenge,
    CompleteTask,
    ExtendDeadline,
    PresentAssertion,
    RequestSubmitted,
    RetryTask,
    SendNotice,
)
from shared.events.fulfillment import SystemOutcome, TaskNeedsPerson
from shared.events.topics import ACKNOWLEDGEMENTS
from shared.events.vendors import DeletionDirective, DirectiveCompleted, DirectiveReceived, OptOutDirective
from shared.privacy import Secret
from tests.support.domain_driver import DomainDriver, Sent
from tests.support.front_desk import submission, upstream_submission
from tests.support.proofs import FRESH, STALE
from tests.two_years.calendar_of_trouble import Trouble
from tests.two_years.lean_driver import LeanDriver
from tests.two_years.life import VENDOR, Life
from tests.two_years.persons import Person
from tests.two_years.told import Told

LETTER: Final = "a.b.c.d.e"
KNOW: Final = ("know_categories", "know_specific")
REMINDED_AFTER: Final = timedelta(days=6)
SHA: Final = "d" * 64


def lived(
    number: int,
    person: Person,
    trouble: Trouble,
    pace: Any = None,
    driven_by: type[DomainDriver[Any]] = LeanDriver,
) -> Told:
    """Let one person's request live to its end."""
    chance = random.Random(f"life {number}")  # noqa: S311 - a simulation
    life = Life(number, person, trouble, chance, perform=perform, hears=hears, pace=pace, driven_by=driven_by)
    _ask(life)
    return life.live()


def perform(life: Life, service: str, key: str) -> None:
    """Do what a task is for, as soon as what it needs is there."""
    if service == "intake":
        _hand_over(life, key)
    elif service == "deadline":
        life.told.ended[key] = life.now
        life.finish(service, key)
    elif key == "package":
        package = {"package_id": str(uuid5(life.request_id, key)), "sha256": SHA, "size": 9}
        life.finish(service, key, package=package)
    else:
        _work(life, key)


def hears(life: Life, sent: Sent) -> None:
    """What people and vendors do when something is said."""
    match sent.body:
        case SendNotice(kind="verification_code"):
            life.codes.append(sent.opened("code").decode())
        case TaskNeedsPerson(task=task):
            life.at(life.now + life.person.person_after, lambda: _see_to(life, task))
        case DeletionDirective() | OptOutDirective():
            _vendor_hears(life, sent.body)


def _ask(life: Life) -> None:
    """Over the web, whenever it is up; or by telephone, which an agent logs some hours later."""
    person = life.person
    if person.by_phone:
        found = upstream_submission(right=person.right, received_at=person.arrives_at.isoformat())
        logged_at = person.arrives_at + person.logged_after
        message = life.messages.command(
            RequestSubmitted(claims=LETTER), at=logged_at, facts=found, source="upstream/call-center"
        )
        life.deliver("intake", message, person.logged_after)
    else:
        found = submission(right=person.right)
        life.now = life.up_from("intake", person.arrives_at)
        life.deliver("intake", life.local(SubmitRequest(submission=found), found))
    _later(life)


def _later(life: Life) -> None:
    """Signing in, changing one's mind, and an officer who extends: at any time, sensible or not."""
    person = life.person
    if "account" in person.proof:
        life.at(life.now + person.proves_after, lambda: _present(life))
    if person.withdraws_after is not None:
        when = life.now + person.withdraws_after
        life.at(when, lambda: life.deliver("intake", life.local(WithdrawRequest())))
    if person.officer_extends_after is not None:
        life.at(life.now + person.officer_extends_after, lambda: _extend(life))


def _present(life: Life) -> None:
    found = Findings(assertion=FRESH if life.person.proof == "account" else STALE)
    body = PresentAssertion(assertion="c2VhbGVk")
    life.deliver("verification", life.messages.command(body, at=life.now, facts=found))


def _extend(life: Life) -> None:
    body = ExtendDeadline(reasons=("an archive is away",), actor="officer")
    life.deliver("deadline", life.messages.command(body, at=life.now))


def _hand_over(life: Life, key: str) -> None:
    """The mail server takes it, unless it is away; then the task looks again when it is back."""
    back = life.up_from("mail", life.now)
    if back > life.now:
        life.again("intake", key, back)
        return
    kind = key.split(":")[1]
    if kind == "extension" and life.person.notice_bounces:
        life.finish("intake", key, "needs_person", reason="no_such_address")
        return
    life.told.mails.append((kind, life.now))
    notice_id = str(uuid5(life.request_id, key))
    life.finish("intake", key, notice_id=notice_id, handed_over_at=life.now.isoformat())
    if kind == "verification_code" and life.person.proof in ("code", "wrong_code"):
        life.at(life.now + min(life.person.proves_after, timedelta(days=0.6)), lambda: _type_code(life))


def _type_code(life: Life) -> None:
    code = life.codes[-1] if life.person.proof == "code" else "00000000"
    body = AnswerChallenge(code="c2VhbGVk")
    found = Findings(code=Secret(code))
    life.deliver("verification", life.messages.command(body, at=life.now, facts=found))


def _work(life: Life, key: str) -> None:
    """A system works as long as it takes, and not while it is away; some need a person first."""
    what, name, right, *_ = key.split(":")
    if what == WAIT or (name == VENDOR and right not in KNOW):
        _tell(life, key)
        return
    back = life.up_from(name, life.now)
    if back > life.now:
        life.again("fulfillment", key, back)
    elif key not in life.begun:
        life.begun.add(key)
        life.again("fulfillment", key, life.now + life.person.takes[name])
    elif name == life.person.needs_person and key not in life.seen_to:
        life.finish("fulfillment", key, "needs_person", kind="credentials", reason="the password was changed")
    else:
        life.finish("fulfillment", key, **_outcome(life, name, right))


def _outcome(life: Life, name: str, right: str) -> dict[str, Any]:
    outcome = SystemOutcome(system=name, outcome="done", receipt_digest=SHA, erased=1)
    part = {"part_id": str(uuid5(life.request_id, name))} if right in KNOW else {}
    return {"outcome": outcome.model_dump(mode="json"), **part}


def _see_to(life: Life, task: str) -> None:
    """A person mends what stopped a task; of a silent vendor they say that it cannot be had."""
    life.seen_to.add(task)
    if task.startswith(f"{WAIT}:"):
        body: CompleteTask | RetryTask = CompleteTask(
            task=task, outcome="impossible", actor="officer", reason="the vendor does not answer"
        )
    else:
        body = RetryTask(task=task, actor="officer", reason="the password is known again")
    life.deliver("fulfillment", life.messages.command(body, at=life.now))


def _tell(life: Life, key: str) -> None:
    """Tell the vendor, remind it twice, then give its silence to a person."""
    known = life.drivers["fulfillment"].case.directive_to(VENDOR)
    if known is not None and known.messages >= 3:
        life.finish("fulfillment", key, "needs_person", kind="refused", reason="silent")
        return
    now = life.now
    state = known or Directive(
        vendor=VENDOR,
        title="Mailer",
        id=uuid5(life.request_id, VENDOR),
        told_at=now,
        receipt_by=now + timedelta(days=2),
        due_at=now + timedelta(days=10),
        look_at=now,
    )
    messages = state.messages + 1 if known else 1
    state = state.model_copy(update={"messages": messages, "look_at": now + REMINDED_AFTER})
    life.finish("fulfillment", key, directive={"state": state.model_dump(mode="json"), "letter": LETTER})


def _vendor_hears(life: Life, body: DeletionDirective | OptOutDirective) -> None:
    if life.person.vendor_is_silent or body.message > 1:
        return
    ours = ACKNOWLEDGEMENTS.of(VENDOR)

    def says(word: DirectiveReceived | DirectiveCompleted) -> None:
        message = life.messages.command(word, at=life.now, facts=True, source=f"vendor/{VENDOR}")
        life.deliver("fulfillment", life.on_topic(message, ours.name))

    receipt = DirectiveReceived(directive_id=body.directive_id, received_at=life.now)
    done_at = life.now + life.person.takes[VENDOR] + timedelta(hours=1)
    done = DirectiveCompleted(directive_id=body.directive_id, completed_at=done_at, held=True)
    life.at(life.now + timedelta(minutes=30), lambda: says(receipt))
    life.at(done_at, lambda: says(done))
