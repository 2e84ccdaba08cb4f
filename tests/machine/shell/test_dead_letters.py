"""What can never be read is one dead letter; what could not be handled is one, too, and stops its own case only."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.dead_letter_seal import DeadLetterSeal
from shared.events.commands import RequestSubmitted, WithdrawalSubmitted
from shared.events.envelope import Raw
from shared.events.intake import RequestWithdrawn
from shared.events.message import CATALOGUE
from shared.ids import request_id_for
from tests.support.machine import NOON, Machine, Upstream, local, request, with_header

ONE, TWO = request(1), request(2)
Spoil = Callable[[Raw], Raw]

UNREADABLE: dict[str, tuple[Spoil, str, str | None]] = {
    "bad JSON": (lambda raw: replace(raw, value=b"{"), "invalid_body", "body"),
    "an empty body": (lambda raw: replace(raw, value=b""), "invalid_body", "body"),
    "an unknown field": (lambda raw: replace(raw, value=b'{"x":1}'), "invalid_body", None),
    "a header that is not UTF-8": (lambda raw: with_header(raw, "x", b"\xff"), "header_not_utf8", None),
    "headers too large": (lambda raw: with_header(raw, "x", b"a" * 9000), "headers_too_large", None),
    "no key": (lambda raw: replace(raw, key=None), "missing_key", "key"),
    "an empty key": (lambda raw: replace(raw, key=b""), "missing_key", "key"),
    "another request's key": (lambda raw: replace(raw, key=str(TWO).encode()), "bad_header", "ce_subject"),
    "no type": (lambda raw: with_header(raw, "ce_type", None), "missing_header", "ce_type"),
    "an unknown type": (lambda raw: with_header(raw, "ce_type", b"dsar.no.v1"), "unknown_type", "ce_type"),
    "a future version": (
        lambda raw: with_header(raw, "ce_type", b"dsar.request.withdrawn.v9"),
        "unknown_type",
        "ce_type",
    ),
    "another topic": (lambda raw: replace(raw, topic="dsar.closed"), "wrong_topic", "ce_type"),
    "no sequence": (lambda raw: with_header(raw, "ce_sequence", None), "missing_header", "ce_sequence"),
    "sequence zero": (lambda raw: with_header(raw, "ce_sequence", b"0"), "bad_header", "ce_sequence"),
    "a digit that is no number": (
        lambda raw: with_header(raw, "ce_sequence", "\u00b2".encode()),
        "bad_header",
        "ce_sequence",
    ),
    "a sequence beyond all bounds": (
        lambda raw: with_header(raw, "ce_sequence", b"99999999999999999999"),
        "bad_header",
        "ce_sequence",
    ),
    "an id that is none": (lambda raw: with_header(raw, "ce_id", b"1"), "bad_header", "ce_id"),
    "a time without a zone": (
        lambda raw: with_header(raw, "ce_time", b"2026-03-02T12:00:00"),
        "bad_header",
        "ce_time",
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_an_unreadable_record_is_one_letter_however_often_it_comes(
    machine: Machine, upstream: Upstream, what: str
) -> None:
    spoil, reason, field = UNREADABLE[what]
    bad, good = spoil(upstream.event(ONE)), upstream.event(TWO, "good")

    assert await machine.hear(bad, good, bad) == ["dead", "applied", "dead"]
    assert await machine.hear(bad) == ["dead"]

    (letter,) = await machine.world.letters()
    assert (letter.reason, letter.topic, letter.offset) == (reason, bad.topic, bad.offset)
    assert field is None or letter.field == field
    assert len(await machine.dead_records()) == 1
    assert (await machine.case(TWO)).heard == ("good",)


async def test_a_letter_opens_to_the_record_as_it_lay_and_its_record_tells_where(
    machine: Machine, upstream: Upstream
) -> None:
    bad = with_header(replace(upstream.event(ONE), value=b"{"), "ce_specversion", b"2.0")

    await machine.hear(bad)

    (letter,) = await machine.world.letters()
    opened = await DeadLetterSeal(machine.vault).open(letter.sealed, letter_id=letter.letter_id)
    assert Raw.from_bytes(opened) == bad
    (sent,) = await machine.dead_records()
    assert (sent.topic, sent.value.decode()) == ("dsar.dead-letters.verification", letter.sealed)
    assert sent.headers["habeas_origin"] == f"dsar.received/0/{bad.offset}"
    assert sent.headers["ce_id"] == str(letter.letter_id)


async def test_a_letter_that_fits_into_no_record_is_sent_without_its_content(
    machine: Machine, upstream: Upstream
) -> None:
    large = replace(upstream.event(ONE), value=b"{" + b"x" * 800_000)

    await machine.hear(large)

    (sent,) = await machine.dead_records()
    assert (sent.headers["habeas_content"], sent.value) == ("too_large", b"")
    (letter,) = await machine.world.letters()
    opened = await DeadLetterSeal(machine.vault).open(letter.sealed, letter_id=letter.letter_id)
    assert Raw.from_bytes(opened).value == large.value


async def test_a_poison_message_in_a_full_batch_costs_one_letter_and_its_neighbours_nothing(
    machine: Machine, upstream: Upstream
) -> None:
    requests = [request(number) for number in range(500)]
    batch = [upstream.event(one, "poison" if number == 317 else "w") for number, one in enumerate(requests)]

    told = await machine.hear(*batch)

    assert told.count("applied") == 499
    assert told[317] == "dead"
    (letter,) = await machine.world.letters()
    assert (letter.request_id, letter.reason) == (requests[317], "unhandled:Poison")
    assert await machine.is_blocked(requests[317])
    assert not await machine.is_blocked(requests[316])
    assert await machine.hear(*batch) == ["parked" if n == 317 else "duplicate" for n in range(500)]
    assert len(await machine.world.letters()) == len(await machine.dead_records()) == 1


async def test_what_follows_a_poison_message_in_its_own_batch_is_parked(
    machine: Machine, upstream: Upstream
) -> None:
    told = await machine.hear(
        upstream.event(ONE, "a"),
        upstream.event(ONE, "poison"),
        upstream.event(ONE, "c"),
        upstream.command(ONE, "d"),
        upstream.event(TWO, "b"),
    )

    assert told == ["applied", "dead", "parked", "parked", "applied"]
    assert (await machine.case(ONE)).heard == ("a",)
    assert await machine.chain(ONE) == ["dsar.request.withdrawn.v1", "case.blocked"]


async def test_a_blocked_case_drains_in_order_once_it_is_mended_and_unblocked(
    machine: Machine, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "a"), upstream.event(ONE, "poison"), upstream.event(ONE, "c"))
    await machine.hear(upstream.command(ONE, "asked"), upstream.event(ONE, "d"))
    assert (await machine.case(ONE)).heard == ("a",)

    machine.domain.broken = False
    await machine.world.unblock(ONE)
    await machine.shell.drain_parked()

    assert (await machine.case(ONE)).heard == ("a", "asked", "c", "d", "poison")
    assert await machine.world.parked() == []
    assert await machine.answers(ONE) == ["accepted"]
    await machine.is_sound(ONE)


async def test_a_case_that_was_unblocked_without_a_remedy_is_blocked_again_by_the_same_letter(
    machine: Machine, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "poison"), upstream.event(ONE, "b"))

    await machine.world.unblock(ONE)
    await machine.shell.drain_parked()

    assert await machine.is_blocked(ONE)
    assert (await machine.case(ONE)).heard == ()
    assert len(await machine.world.letters()) == 1
    assert len(await machine.world.parked()) == 2


async def test_poison_commands_out_of_the_parked_ones_are_a_letter_each(
    machine: Machine, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "poison_a"))
    await machine.hear(upstream.command(ONE, "poison_b"), upstream.command(ONE, "poison_b"))

    for word in ("a", "none", "none"):
        machine.domain.mended_for.add(word)
        await machine.world.unblock(ONE)
        await machine.shell.drain_parked()
    machine.domain.broken = False
    await machine.world.unblock(ONE)
    await machine.shell.drain_parked()

    letters = await machine.world.letters()
    assert [letter.reason for letter in letters] == ["unhandled:Poison"] * 2
    assert len({letter.offset for letter in letters}) == 2
    assert (await machine.case(ONE)).heard == ("a", "b", "b", "poison", "poison", "poison")


async def test_a_case_that_cannot_be_read_stops_no_partition(machine: Machine, upstream: Upstream) -> None:
    await machine.hear(upstream.event(ONE, "a"), upstream.event(TWO, "a"))
    await machine.world.spoil(ONE, '{"heard": 7}')

    assert await machine.hear(upstream.event(ONE, "b"), upstream.event(TWO, "b")) == ["dead", "applied"]

    row = await machine.world.case(ONE)
    assert row is not None
    assert (row.blocked, row.body) == (True, '{"heard": 7}')
    (letter,) = await machine.world.letters()
    assert letter.reason == "unhandled:ValidationError"
    await machine.world.spoil(ONE, '{"heard": ["a"]}')
    await machine.world.unblock(ONE)
    await machine.shell.drain_parked()
    assert (await machine.case(ONE)).heard == ("a", "b")


async def test_what_a_service_says_to_itself_can_be_a_letter_too(machine: Machine) -> None:
    poison = local(ONE, RequestWithdrawn(withdrawn_at=NOON, audit_head="poison"))

    (told,) = await machine.shell.handle([poison])

    assert told.status == "dead"
    (letter,) = await machine.world.letters()
    assert (letter.topic, letter.partition) == ("local.local.told", -1)
    assert await machine.world.parked() == []
    opened = await DeadLetterSeal(machine.vault).open(letter.sealed, letter_id=letter.letter_id)
    assert json.loads(Raw.from_bytes(opened).value)["audit_head"] == "poison"


async def test_a_parked_record_that_a_downgrade_cannot_read_becomes_one_letter_and_leaves(
    machine: Machine, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machine.hear(upstream.command(TWO, "poison"), upstream.command(TWO, "waits"))
    monkeypatch.delitem(CATALOGUE, "dsar.verification.answer-challenge.v1")

    await machine.world.unblock(TWO)
    for _ in range(3):
        await machine.shell.drain_parked()

    reasons = sorted(letter.reason for letter in await machine.world.letters())
    assert reasons == ["unhandled:Poison", "unknown_type", "unknown_type"]
    assert len(await machine.dead_records()) == 3
    assert await machine.world.parked() == []


async def test_a_submission_that_waits_for_a_blocked_case_stays_about_its_request(
    machine: Machine, upstream: Upstream
) -> None:
    source, key = "upstream/web", b"order 66"
    about = request_id_for(source, key.decode())
    body = WithdrawalSubmitted(withdrawn_at=NOON)
    submission = replace(
        upstream.command(about), topic="dsar.submissions", key=key, value=body.model_dump_json().encode()
    )
    submission = with_header(submission, "ce_source", source.encode())
    submission = with_header(submission, "ce_type", body.declared.ce_type.encode())
    await machine.hear(upstream.event(about, "poison"))

    assert await machine.hear(submission) == ["parked"]
    machine.domain.broken = False
    await machine.world.unblock(about)
    await machine.shell.drain_parked()

    assert (await machine.case(about)).heard == ("dsar.submission.withdrawal.v1", "poison")


@pytest.mark.parametrize(
    ("claims", "kept"),
    [('{"email":"ann.canary@example.com"}', ""), ("Ann Canary, delete me", ""), ("a.b.c.d.e", "a.b.c.d.e")],
    ids=["in clear", "no token at all", "encrypted"],
)
async def test_claims_wait_for_a_blocked_case_encrypted_or_not_at_all(
    machine: Machine, upstream: Upstream, claims: str, kept: str
) -> None:
    source, key = "upstream/web", b"order 67"
    about = request_id_for(source, key.decode())
    body = RequestSubmitted(claims=claims)
    submission = replace(
        upstream.command(about), topic="dsar.submissions", key=key, value=body.model_dump_json().encode()
    )
    submission = with_header(submission, "ce_source", source.encode())
    submission = with_header(submission, "ce_type", body.declared.ce_type.encode())
    await machine.hear(upstream.event(about, "poison"))

    assert await machine.hear(submission) == ["parked"]

    values = [json.loads(one.raw.value) for one in await machine.world.parked() if one.sequence is None]
    assert values == [{"claims": kept}]


async def test_two_processes_that_choke_on_one_record_write_one_letter(
    machine: Machine, upstream: Upstream
) -> None:
    poison = upstream.event(ONE, "poison")

    told = [await machine.hear(poison), await machine.another().hear(poison)]

    assert told == [["dead"], ["parked"]]
    assert len(await machine.world.letters()) == 1
