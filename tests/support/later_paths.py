"""The ways that came later: corrections, disputes, appeals, choices, holds, lists, what was deleted and came back."""

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID

import asyncpg
import httpx2

from deploy.demo.cascadia.before import Where
from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.places import DATABASES
from shared.events.commands import CompleteTask, DenyRequest
from shared.events.fulfillment import FindingAdded, RequestFulfilled, TaskNeedsPerson
from tests.support.eventually import eventually_async
from tests.support.identities import MARK
from tests.support.requester import Requester, fill_in
from tests.support.walked import Walked, asks, commanded, posted

SYSTEM = "cascadia-crm"
BUSINESS = ("--business", "cascadia")
OVER = "over"
_FINDING = FindingAdded.declared.ce_type
# Just behind the first look at what was deleted, and behind the time at which a task looks for its hold again.
AN_HOUR = timedelta(minutes=61)
_WAITING = """
SELECT count(*) > 0 FROM fulfillment.tasks
WHERE request_id = $1 AND purpose = 'act' AND state = 'queued' AND run_at > $2"""


async def corrected(walked: Walked, person: Person) -> None:
    """What no program may correct a person does by hand; then what is left is disputed in a statement."""
    first = await asks(walked, person, "correct", corrections=_corrections(walked, "first"))
    await _by_hand(walked, first, "done")
    await first.shown("closed")
    disputed = _corrections(walked, "disputed", statement=f"{MARK} statement: I never lived there.")
    second = await _follows(walked, first, "correct", corrections=disputed, again=str(first.request_id))
    await _by_hand(walked, second, "nothing")


async def appealed(walked: Walked, person: Person) -> None:
    """A denial by a person, and an appeal against it, which California's law, the only one on offer, has not."""
    first = await asks(walked, person, "delete", proof="code")
    await walked.running.mailbox.wait(first.request_id, "verification_code")
    why = "the agency that asked sent no permission"
    denial = DenyRequest(ground="not_by_the_consumer", actor="officer", reason=why)
    assert await walked.running.command(first.request_id, denial) == "accepted"
    await first.shown("closed")
    appeal = fill_in(walked.running, person, "appeal", appeals=str(first.request_id)).claims
    await posted(walked, "/requests", appeal, first.secret or "")
    await posted(walked, "/requests", {**appeal, "appeals": person.email}, first.secret or "")


async def chose(walked: Walked, person: Person) -> None:
    """Opted out and limited, and then opted in again, which a person types into each system."""
    for right in ("opt_out", "limit"):
        await (await asks(walked, person, right, proof="none", phone=person.phone)).closed(within=120)
    again = await asks(walked, person, "opt_in", proof="none", phone=person.phone, confirmed=True)
    await _by_hand(walked, again, "done")


async def kept(walked: Walked, person: Person) -> None:
    """A hold on a person, named on standard input and sent over HTTP, that a deletion has to wait for."""
    await _kept(walked, person, "--http", "--url", walked.running.services.url("fulfillment"))


async def kept_over_kafka(walked: Walked, person: Person) -> None:
    """The same with the hold and its release as commands on the topic, each answered on the journal."""
    await _kept(walked, person)


async def listed(walked: Walked, person: Person) -> None:
    """Lists of people on standard input: planned for, hashed, looked up."""
    everybody = "\n".join(_lines(one) for one in walked.running.town.business.people)
    url = ["--url", walked.running.services.url("fulfillment")]
    await commanded(walked, ["systems", "plan", "--identity", "-", "--statements"], _lines(person))
    await commanded(walked, ["suppression", "check", *BUSINESS, *url, "-"], everybody)
    await commanded(walked, ["suppression", "check", *BUSINESS, *url, "-"], f"{everybody}\n{person.street}")


async def came_back(walked: Walked, person: Person) -> None:
    """Deleted, and there again from a backup: deleted once more, with an addendum to the proof."""
    before = await walked.running.town.rows_of(person)
    requester = await asks(walked, person, "delete")
    await requester.closed(within=120)
    await _restored(walked, before)
    await commanded(walked, ["restore", "replay", SYSTEM, "--actor", "operator", "--json"], "")
    await walked.running.tape.wait(requester.request_id, FindingAdded)
    url = ["--url", walked.running.services.url("deadline")]
    await commanded(walked, ["evidence", "addenda", str(requester.request_id), *url], "")


async def looked_at_again(walked: Walked, person: Person) -> None:
    """Deleted, and there again an hour later: found by the look at it, deleted by a linked task, both attested.

    The clock is everybody's: when this is walked, every other deletion is looked at again too.
    """
    running, before = walked.running, await walked.running.town.rows_of(person)
    requester = await asks(walked, person, "delete")
    await requester.closed(within=120)
    await _restored(walked, before)
    running.clock.advance(AN_HOUR)
    await eventually_async(partial(_attested, walked, requester, 2), within=60)
    found = [one.body for one in running.tape.about(requester.request_id) if one.kind == _FINDING]
    assert [(one["kind"], one["look"]) for one in found] == [
        ("came_back", "1 hour"),
        ("deleted_again", "1 hour"),
    ]
    url = ["--url", running.services.url("deadline")]
    await commanded(walked, ["evidence", "addenda", str(requester.request_id), *url], "")


async def _kept(walked: Walked, person: Person, *how: str) -> None:
    why = ["--reason", "litigation 24-118", "--actor", "counsel", "--json"]
    placed = await _said(walked, ["holds", "place", *BUSINESS, "--person", "-", *why, *how], _lines(person))
    requester = await asks(walked, person, "delete")
    await eventually_async(partial(_waits, walked, requester), within=60)
    await _said(walked, ["holds", "release", placed["hold_id"], *why, *how])
    await requester.closed(within=120)


async def _waits(walked: Walked, requester: Requester) -> bool:
    """Whether its destruction was put off for longer than any failure puts it off."""
    soon = walked.running.clock.now() + AN_HOUR / 2
    async with walked.running.installation.admin() as admin:
        return bool(await admin.fetchval(_WAITING, requester.request_id, soon))


async def _attested(walked: Walked, requester: Requester, findings: int) -> bool:
    """Whether as many findings after the end were signed."""
    counted = "SELECT count(*) FROM deadline.addenda WHERE request_id = $1"
    async with walked.running.installation.admin() as admin:
        return bool(await admin.fetchval(counted, requester.request_id) == findings)


def _corrections(walked: Walked, which: str, **more: str) -> list[dict[str, str]]:
    """Something that is wrong, every word of which is looked for from now on."""
    number = f"{MARK}{which.title()}"
    texts = {
        "is_now": f"1 {number}Wrong Lane",
        "should_be": f"2 {number}Right Lane",
        "evidence": f"{number}Deed",
    }
    walked.values |= {f"{which} correction, {name}": text for name, text in {**texts, **more}.items()}
    return [{"what": f"{number} address", **texts, **more}]


async def _by_hand(walked: Walked, requester: Requester, outcome: Literal["done", "nothing"]) -> None:
    """A person answers for every task that comes to them, until the request is over."""
    running, request_id = walked.running, requester.request_id
    answered = set[str]()

    def waits() -> str | None:
        if running.tape.find(request_id, RequestFulfilled):
            return OVER
        asked = (
            one for one in running.tape.about(request_id) if one.kind == TaskNeedsPerson.declared.ce_type
        )
        return next((task for one in asked if (task := one.body["task"]) not in answered), None)

    while (task := await running.tape.until(waits, within=120, what="a task or the end")) != OVER:
        answered.add(task)
        reason = "looked at the desk" if outcome == "done" else "the paper shows what is there"
        word = CompleteTask(
            task=task, outcome=outcome, actor="clerk", reason=reason, evidence="desk-book/118"
        )
        assert await running.command(request_id, word) == "accepted"


async def _follows(walked: Walked, first: Requester, right: str, **more: Any) -> Requester:
    """A request that follows from an answered one, made with its secret."""
    running, person = walked.running, first.person
    form = fill_in(running, person, right, **more)
    headers = {"Authorization": f"Bearer {first.secret}", "Idempotency-Key": form.key}
    answer = await running.http.post(f"{running.intake}/requests", json=form.claims, headers=headers)
    assert answer.status_code == httpx2.codes.CREATED, answer.text
    receipt = answer.json()
    walked.values[f"{person.number} secret of {right}"] = receipt["secret"]
    made = Requester(running, person, right, "http", form.key, UUID(receipt["request_id"]), receipt["secret"])
    walked.closing.append(made)
    return made


async def _said(walked: Walked, arguments: list[str], given: str = "") -> Any:
    return json.loads(await commanded(walked, arguments, given))


def _lines(person: Person) -> str:
    return f"{person.email}\n{person.phone}\ncustomer_id {person.customer_id}\n"


async def _restored(walked: Walked, before: Mapping[Where, Mapping[str, Any]]) -> None:
    """The backup of one table of the system that knows who people are."""
    (row,) = (row for (system, table, _), row in before.items() if (system, table) == ("crm", "contacts"))
    marks = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    connection = await asyncpg.connect(walked.running.town.business.places.admin(DATABASES["crm"]))
    try:
        insert = f"INSERT INTO contacts ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - our own names
        await connection.execute(insert, *row.values())
    finally:
        await connection.close()


LATER = (corrected, appealed, chose, kept, kept_over_kafka, listed, came_back)
