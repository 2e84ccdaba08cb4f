"""Sends marked people through every way that a person's details can take into Habeas, and through the wrong ones."""

import asyncio
import json
from collections.abc import Iterator

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.demo.cascadia.people import Person
from deploy.demo.cascadia.places import DATABASES
from shared.events.commands import RetryTask
from shared.events.fulfillment import TaskNeedsPerson
from shared.events.message import CATALOGUE
from shared.events.topics import TOPICS
from shared.ids import new_id
from tests.support.archives import text_of
from tests.support.eventually import eventually_async
from tests.support.identities import MARK
from tests.support.later_paths import LATER, looked_at_again
from tests.support.running import Running
from tests.support.upstream import REQUEST
from tests.support.walked import CLEAR, WRONG_SECRET, Walked, asks, commanded, posted

_REFUSE = """
CREATE FUNCTION public.refuse_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'cannot change %', OLD.email USING DETAIL = OLD.full_name, HINT = OLD.phone; END $$;
CREATE TRIGGER refuse_marked BEFORE UPDATE ON customers FOR EACH ROW
WHEN (OLD.customer_number = '{customer}') EXECUTE FUNCTION public.refuse_marked()"""


async def every_path(running: Running) -> Walked:
    """Walk all of them side by side; done when every good request is closed."""
    walked = Walked(running)
    people = iter([await walked.knows(person) for person in running.town.business.people])
    await _refusing(walked, next(people), running)
    ways = (_by_code, _by_assertion, _copied_upstream, _opted_out, _withdrawn, _at_the_command_line)
    await asyncio.gather(
        *(way(walked, next(people)) for way in (*ways, *LATER)), _wrong_over_http(walked, next(people))
    )
    await _wrong_over_kafka(walked, next(people))
    await asyncio.gather(*(requester.closed(within=120) for requester in walked.closing))
    await looked_at_again(walked, next(people))
    return walked


async def _by_code(walked: Walked, person: Person) -> None:
    """A wrong proof, a foreign secret, a code by mail."""
    key = f"{MARK}-idempotency-{person.number}"
    requester = await asks(walked, person, "delete", proof="code", key=key)
    walked.values |= {"idempotency key": key, "wrong proof": f"{MARK}-proof"}
    mail = await walked.running.mailbox.wait(requester.request_id, "verification_code")
    walked.values["code"] = mail.code
    for secret, body in (
        (requester.secret, {"code": f"{MARK}-proof"}),
        (WRONG_SECRET, {"code": mail.code}),
        (requester.secret, {"assertion": f"{MARK}.{MARK}.{MARK}"}),
        (requester.secret, {"code": CLEAR, CLEAR: CLEAR}),
    ):
        await posted(walked, f"/requests/{requester.request_id}/verification", body, secret or "")
    await requester.prove()


async def _by_assertion(walked: Walked, person: Person) -> None:
    await asks(walked, person, "delete", via="kafka", key="form-of-the-second")


async def _copied_upstream(walked: Walked, person: Person) -> None:
    """A copy of everything: what the systems know travels in an export and lies in a package."""
    requester = await asks(walked, person, "know_specific", via="kafka", key="form-of-the-third")
    await requester.closed(within=120)
    copy = await requester.package_bytes()
    mail = await walked.running.mailbox.wait(requester.request_id, "answer")
    walked.values["access key"] = mail.access_key
    assert person.email in text_of(copy)


async def _opted_out(walked: Walked, person: Person) -> None:
    device = f"{MARK}-browser-{person.number}"
    walked.values[f"{person.number} device"] = device
    await asks(walked, person, "opt_out", proof="none", phone=person.phone, device_id=device)


async def _withdrawn(walked: Walked, person: Person) -> None:
    requester = await asks(walked, person, "delete", proof="code")
    await walked.running.mailbox.wait(requester.request_id, "verification_code")
    await requester.withdraw()


async def _refusing(walked: Walked, person: Person, running: Running) -> None:
    """A system whose refusal quotes the person, in every part that an error has."""
    database = running.town.business.places.admin(DATABASES["dms"])
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(_REFUSE.format(customer=person.customer_id))
        requester = await asks(walked, person, "delete", key="form-of-the-refused")
        needs = await running.tape.wait(requester.request_id, TaskNeedsPerson)
        await connection.execute("DROP FUNCTION public.refuse_marked() CASCADE")
    finally:
        await connection.close()
    retry = RetryTask(task=needs.task, actor="operator", reason="the trigger is gone")
    assert await running.command(requester.request_id, retry) == "accepted"


async def _at_the_command_line(walked: Walked, person: Person) -> None:
    """Claims by standard input; a receipt in a file of one's own."""
    saved = walked.running.town.business.places.home / "receipt.json"
    claims = {"email": person.email, "name": person.name, "phone": person.phone}
    intake = ["--url", walked.running.intake]
    submit = ["request", "submit", "--right", "opt_out", "--claims", "-", "--save", str(saved), *intake]
    await commanded(walked, submit, json.dumps(claims))
    await commanded(walked, ["request", "show", "--saved", str(saved), *intake], "")
    wrong = json.dumps({"email": f"{CLEAR} {CLEAR}", CLEAR: CLEAR})
    await commanded(walked, [*submit[:-4], *intake], wrong)
    walked.values["saved secret"] = json.loads(saved.read_bytes())["secret"]


async def _wrong_over_http(walked: Walked, person: Person) -> None:
    """Details where they do not belong: other fields, unknown fields, paths, headers, questions."""
    good = {"right": "delete", "residency": "US-CA", "email": person.email}
    for wrong in (
        {**good, "residency": person.name},
        {**good, "right": person.email},
        {**good, "business": person.email},
        {**good, person.email: person.phone},
        {**good, "phone": person.email},
        {**good, "email": person.street},
        {**good, "collected_from": person.phone},
        [person.email],
    ):
        await posted(walked, "/requests", wrong)
    http, url = walked.running.http, walked.running.intake
    headers = {"traceparent": CLEAR, "Idempotency-Key": CLEAR, "Content-Type": CLEAR, "X-Name": CLEAR}
    for path in (f"/requests/{person.email}", f"/{person.email}?name={person.name}", "/requests"):
        for secret in (WRONG_SECRET, CLEAR):
            answer = await http.get(url + path, headers={**headers, "Authorization": f"Bearer {secret}"})
            walked.shown.append(answer.content)
    deadline = walked.running.services.url("deadline")
    walked.shown.append((await http.get(f"{deadline}/certificates/{person.email}")).content)


async def _wrong_over_kafka(walked: Walked, person: Person) -> None:
    """Submissions that are refused, and records in clear on every topic that a service reads."""
    running = walked.running
    refused = {"right": "delete", "residency": person.name, "email": person.email, "channel": "phone"}
    await running.upstream.submit(refused, key="form-of-the-refused-one")
    settings = running.settings
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        for topic, key, headers, value in _hostile(running, person):
            sent = await producer.send_and_wait(
                settings.namespace + topic, value, key=key, headers=headers, partition=0
            )
            walked.planted.add((topic, sent.partition, sent.offset))
    finally:
        await producer.stop()
    await eventually_async(lambda: _buried(running, len(walked.planted)), within=60)
    letters = json.loads(await commanded(walked, ["dead-letters", "list", "--json"], ""))
    await commanded(walked, ["dead-letters", "show", letters[-1]["id"]], "")


def _hostile(
    running: Running, person: Person
) -> Iterator[tuple[str, bytes | None, list[tuple[str, bytes]], bytes]]:
    clear, key = json.dumps({"claims": json.dumps({"email": person.email})}).encode(), person.email.encode()
    good = running.upstream.headers
    for topic in TOPICS:
        if set(topic.readers) - {"console"}:
            yield topic.name, key, [("x-name", person.name.encode())], CLEAR.encode()
    for changes in (
        {"ce_source": f"upstream/{CLEAR}"},
        {"ce_business": person.email},
        {"ce_type": f"dsar.{CLEAR}"},
        {"ce_time": CLEAR},
        {"ce_id": CLEAR},
        {"ce_sequence": CLEAR},
    ):
        yield "dsar.submissions", key, good(REQUEST, **changes), clear
    # Every command that a person may give, in good order but for what it says.
    said = {"actor": person.email, "reason": person.name, "hashes": [person.email], person.email: CLEAR}
    for one in CATALOGUE.values():
        if one.signed:
            headers = good(one.ce_type, ce_source="habeas/cli", ce_subject=str(new_id()))
            yield one.topic.name, key, headers, json.dumps(said).encode()
    more = {"traceparent": CLEAR, "ce_subject": CLEAR, "x-name": person.name, "ce_correlationid": CLEAR}
    yield "dsar.submissions", key, good(REQUEST, **more), clear
    yield "dsar.submissions", None, good(REQUEST), clear
    yield "dsar.submissions", key, good(REQUEST), json.dumps({"claims": "x", person.email: CLEAR}).encode()


async def _buried(running: Running, number: int) -> bool:
    """Whether each of them was answered; the one in good order became a refusal, the others dead letters."""
    letters = sum(one.topic.startswith("dsar.dead-letters.") for one in running.tape.records)
    return letters >= number - 1
