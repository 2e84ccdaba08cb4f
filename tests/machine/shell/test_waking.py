"""Time passes: due cases are woken once, in bulk, and one that cannot be woken keeps no other asleep."""

import asyncio

from shared.machine.run import WAKE_AGAIN
from shared.vault import Vault
from tests.support.machine import Machine, Upstream, request
from tests.support.memory_vault import MemoryKek, MemoryKeyStore
from tests.support.store_worlds import StoreWorld

ONE, TWO = request(1), request(2)


async def test_a_case_is_woken_when_its_time_has_come_and_not_before(
    machine: Machine, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "wake-30"))

    machine.clock.pass_(minutes=29)
    assert await machine.shell.wake_due() == 0
    machine.clock.pass_(minutes=1)
    assert await machine.shell.wake_due() == 1

    assert await machine.shell.wake_due() == 0
    assert (await machine.case(ONE)).woken == 1
    assert await machine.chain(ONE) == ["dsar.request.withdrawn.v1", "local.wake"]
    await machine.is_sound(ONE)


async def test_after_three_days_away_what_has_waited_longest_is_woken_first(
    machine: Machine, upstream: Upstream
) -> None:
    late, later, latest = request(3), request(1), request(2)
    for request_id, minutes in ((late, 30), (latest, 300), (later, 90)):
        await machine.hear(upstream.event(request_id, f"wake-{minutes}"))
    machine.clock.pass_(days=3)

    woken = []
    for _ in range(3):
        assert await machine.shell.wake_due(limit=1) == 1
        woken.append([one for one in (late, later, latest) if (await machine.case(one)).woken])

    assert woken == [[late], [late, later], [late, later, latest]]
    assert await machine.shell.wake_due() == 0


async def test_a_case_that_cannot_be_woken_is_a_letter_and_the_others_wake(
    machine: Machine, upstream: Upstream
) -> None:
    for number in range(5):
        words = "wake-30_poison-wake" if number == 2 else "wake-30"
        await machine.hear(upstream.event(request(number), words))
    machine.clock.pass_(hours=1)

    await machine.shell.wake_due()

    assert [(await machine.case(request(number))).woken for number in range(5)] == [1, 1, 0, 1, 1]
    (letter,) = await machine.world.letters()
    assert (letter.request_id, letter.topic) == (request(2), "local.local.wake")
    assert await machine.is_blocked(request(2))
    assert await machine.shell.wake_due() == 0


async def test_a_mended_case_is_woken_late_rather_than_never(machine: Machine, upstream: Upstream) -> None:
    await machine.hear(upstream.event(ONE, "wake-30_poison-wake"))
    machine.clock.pass_(hours=1)
    await machine.shell.wake_due()

    machine.domain.broken = False
    await machine.world.unblock(ONE)

    assert await machine.shell.wake_due() == 1
    assert (await machine.case(ONE)).woken == 1


async def test_a_case_that_asks_to_be_woken_at_once_again_does_not_spin(
    machine: Machine, upstream: Upstream
) -> None:
    machine.domain.wakes_at_once_again = True
    await machine.hear(upstream.event(ONE, "wake-30"))
    machine.clock.pass_(hours=1)

    assert await machine.shell.wake_due() == 1
    assert await machine.shell.wake_due() == 0

    row = await machine.world.case(ONE)
    assert row is not None
    assert row.wake_at == machine.clock.now() + WAKE_AGAIN


async def test_two_processes_wake_each_case_once(machine: Machine, upstream: Upstream) -> None:
    requests = [request(number) for number in range(40)]
    await machine.hear(*(upstream.event(one, "wake-30") for one in requests))
    machine.clock.pass_(hours=1)

    woken = await asyncio.gather(*(one.shell.wake_due(30) for one in (machine, machine.another())))
    woken.append(await machine.shell.wake_due())

    assert sum(woken) == 40
    assert {(await machine.case(one)).woken for one in requests} == {1}


async def test_a_case_that_somebody_holds_is_left_for_the_next_turn(
    machine: Machine, upstream: Upstream
) -> None:
    await machine.hear(upstream.event(ONE, "wake-30"), upstream.event(TWO, "wake-30"))
    machine.clock.pass_(hours=1)

    async with machine.world.store.transaction() as holder:
        await holder.lock([ONE], machine.clock.now().date())
        assert await machine.shell.wake_due() == 1

    assert await machine.shell.wake_due() == 1
    assert [(await machine.case(one)).woken for one in (ONE, TWO)] == [1, 1]


async def test_a_case_that_cannot_be_read_keeps_no_other_asleep(machine: Machine, upstream: Upstream) -> None:
    await machine.hear(upstream.event(ONE, "wake-30"), upstream.event(TWO, "wake-30"))
    await machine.world.spoil(ONE, "{}}")
    machine.clock.pass_(hours=1)

    await machine.shell.wake_due()

    assert (await machine.case(TWO)).woken == 1
    assert await machine.is_blocked(ONE)


async def test_a_waking_may_seal_though_nobody_had_opened_the_key(
    store_world: StoreWorld, upstream: Upstream
) -> None:
    seconds = [0.0]
    vault = Vault(MemoryKeyStore(), MemoryKek(), monotonic=lambda: seconds[0])
    machine = Machine(store_world, vault=vault)
    await vault.create([ONE])
    await machine.hear(upstream.event(ONE, "wake-30_seal-when-woken"))
    machine.clock.pass_(hours=1)
    seconds[0] = 3600.0

    assert await machine.shell.wake_due() == 1

    assert "code" in await machine.world.kept(ONE)
