"""A restored case decides again: what its topics hold is not said twice, and nothing else is kept back."""

from dataclasses import replace
from datetime import timedelta

from shared.events.vendors import DeletionDirective
from shared.events.verification import ChallengeFailed
from shared.machine.ports import Writes
from shared.machine.repetition import counter_of, taken_off
from tests.support.machine import NOON, Machine, Upstream, request

ONE = request(1)
COUNTED = ChallengeFailed(method="none", reason="counted", attempts_left=1)
TOPIC = ChallengeFailed.declared.topic.name


async def restored(machine: Machine, sent: dict[str, int]) -> None:
    """An empty case, as `habeas recover` leaves it."""
    async with machine.world.store.transaction() as transaction:
        row = (await transaction.lock([ONE], machine.clock.now().date()))[ONE]
        await transaction.write(Writes(cases=[replace(row, sent=sent)]))


async def test_what_was_said_before_the_restore_is_not_said_again_and_the_next_has_the_next_number(
    machine: Machine, upstream: Upstream
) -> None:
    name = counter_of(COUNTED)
    assert name is not None
    await restored(machine, {TOPIC: 2, name: 2})

    await machine.hear(upstream.event(ONE, "a"), upstream.event(ONE, "b"), upstream.event(ONE, "c"))

    (row,) = [row for row in await machine.world.outbox() if row.topic == TOPIC]
    assert row.sequence == 3
    found = await machine.world.case(ONE)
    assert found is not None
    assert found.sent == {TOPIC: 3}
    assert (await machine.case(ONE)).heard == ("a", "b", "c")
    await machine.chain(ONE)


def test_an_event_about_something_else_is_no_repetition() -> None:
    name = counter_of(COUNTED)
    assert name is not None

    assert taken_off({name: 2, TOPIC: 4}, COUNTED) == {name: 1, TOPIC: 4}
    assert taken_off({name: 1}, COUNTED) == {}
    assert taken_off({TOPIC: 4}, COUNTED) is None
    assert taken_off({f"{name} kind=answer": 1}, COUNTED) is None


def test_a_directive_is_told_apart_by_its_number_so_that_a_reminder_is_no_repetition() -> None:
    directive = DeletionDirective(
        directive_id=ONE, vendor="acme-mail", message=1, receipt_by=NOON, due_at=NOON, letter="a.b.c.d.e"
    )
    name = counter_of(directive)
    assert name is not None

    later = directive.model_copy(update={"due_at": NOON + timedelta(days=1), "letter": "f.g.h.i.j"})
    assert taken_off({name: 1}, later) == {}
    assert taken_off({name: 1}, directive.model_copy(update={"message": 2})) is None
    assert taken_off({name: 1}, directive.model_copy(update={"directive_id": request(2)})) is None
