"""Trouble around the shell: what is repeated, what is waited out, and what is never a message's fault."""

import asyncpg
import pytest

from shared.private_files import KeyFileRefused
from shared.vault import Vault
from shared.vault.errors import KekVersionMissing, KeyNotOpen
from tests.support.faulty_store import FaultyStore
from tests.support.machine import Machine, Upstream, request
from tests.support.memory_vault import MemoryKek, MemoryKeyStore
from tests.support.store_worlds import StoreWorld

ONE, TWO = request(1), request(2)


@pytest.fixture
def faults(store_world: StoreWorld) -> FaultyStore:
    return FaultyStore(store_world.store)


@pytest.fixture
def machine(store_world: StoreWorld, faults: FaultyStore) -> Machine:
    return Machine(store_world, store=faults)


AROUND_US = [
    asyncpg.ConnectionDoesNotExistError("gone"),
    asyncpg.LockNotAvailableError("held for too long"),
    asyncpg.DiskFullError("full"),
    asyncpg.ReadOnlySQLTransactionError("a replica now"),
    asyncpg.IdleInTransactionSessionTimeoutError("slow"),
    asyncpg.InsufficientPrivilegeError("a grant is missing"),
    asyncpg.UndefinedTableError("a migration is missing"),
    asyncpg.InvalidPasswordError("rotated"),
    asyncpg.InterfaceError("closed"),
    ConnectionResetError(),
    TimeoutError(),
    KekVersionMissing("3"),
    KeyFileRefused("open to others"),
]


@pytest.mark.parametrize("error", AROUND_US, ids=lambda error: type(error).__name__)
async def test_trouble_around_us_is_raised_and_no_message_is_buried(
    machine: Machine, faults: FaultyStore, upstream: Upstream, error: Exception
) -> None:
    batch = [upstream.event(ONE, "a"), upstream.event(TWO, "b")]
    faults.before_commit.append(error)

    with pytest.raises(type(error)):
        await machine.hear(*batch)

    assert await machine.world.letters() == []
    assert await machine.hear(*batch) == ["applied", "applied"]
    assert not await machine.is_blocked(ONE)


async def test_an_error_from_commit_after_the_commit_makes_the_repeat_a_no_op(
    machine: Machine, faults: FaultyStore, upstream: Upstream
) -> None:
    batch = [upstream.event(ONE, "a_task-x"), upstream.command(ONE, "b"), upstream.event(TWO, "c")]
    faults.after_commit.append(asyncpg.ConnectionDoesNotExistError("the answer was lost"))

    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await machine.hear(*batch)
    sent, chain = await machine.world.outbox(), await machine.chain(ONE)

    assert await machine.hear(*batch) == ["duplicate"] * 3
    assert await machine.world.outbox() == sent
    assert await machine.chain(ONE) == chain
    assert (await machine.case(ONE)).heard == ("a", "b", "task-x")
    await machine.is_sound(ONE, TWO)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_deadlock_is_repeated_at_once(
    machine: Machine, faults: FaultyStore, upstream: Upstream, times: int
) -> None:
    faults.before_commit.extend([asyncpg.DeadlockDetectedError("circle")] * times)

    assert await machine.hear(upstream.event(ONE, "a")) == ["applied"]

    assert faults.transactions == times + 1
    await machine.is_sound(ONE)


async def test_a_key_that_left_while_others_were_in_the_way_is_opened_again(
    machine: Machine, faults: FaultyStore, upstream: Upstream
) -> None:
    in_the_way = [asyncpg.DeadlockDetectedError("circle")] * 2
    faults.before_commit.extend([*in_the_way, KeyNotOpen(ONE)])

    assert await machine.hear(upstream.event(ONE, "a")) == ["applied"]

    assert not await machine.is_blocked(ONE)


async def test_a_deadlock_that_comes_back_three_times_is_given_back(
    machine: Machine, faults: FaultyStore, upstream: Upstream
) -> None:
    event = upstream.event(ONE, "a")
    faults.before_commit.extend([asyncpg.SerializationError("again")] * 3)

    with pytest.raises(asyncpg.SerializationError):
        await machine.hear(event)

    assert await machine.world.letters() == []
    assert await machine.hear(event) == ["applied"]


async def test_a_batch_that_the_database_refuses_is_taken_apart(
    machine: Machine, faults: FaultyStore, upstream: Upstream
) -> None:
    faults.before_commit.append(asyncpg.CheckViolationError("refused"))

    assert await machine.hear(*(upstream.event(request(n)) for n in range(9))) == ["applied"] * 9


async def test_trouble_while_burying_leaves_everything_to_the_repeat(
    machine: Machine, faults: FaultyStore, upstream: Upstream
) -> None:
    poison = upstream.event(ONE, "poison")
    faults.before_commit.append(asyncpg.ConnectionDoesNotExistError("gone"))

    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await machine.hear(poison)
    assert await machine.world.letters() == []
    faults.after_commit.append(asyncpg.ConnectionDoesNotExistError("the answer was lost"))
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await machine.hear(poison)

    assert await machine.hear(poison) == ["parked"]
    assert len(await machine.world.letters()) == len(await machine.dead_records()) == 1


async def test_a_case_that_grows_out_of_its_bounds_is_one_letter(
    machine: Machine, upstream: Upstream
) -> None:
    told = await machine.hear(upstream.event(ONE, "x" * 70_000), upstream.event(TWO, "a"))

    assert told == ["dead", "applied"]
    assert await machine.is_blocked(ONE)
    assert (await machine.case(ONE)).heard == ()


async def test_a_prepare_that_loses_a_fact_gives_no_message_another_s(
    store_world: StoreWorld, upstream: Upstream
) -> None:
    machine = Machine(store_world)
    machine.forgets_facts = True

    told = await machine.hear(upstream.event(ONE, "a"), upstream.event(TWO, "b"))

    assert told == ["dead", "dead"]
    assert {letter.reason for letter in await machine.world.letters()} == {"unhandled:ValueError"}


class TestKeys:
    """Decisions that seal need their request's key, whatever `prepare` thought of."""

    @pytest.fixture
    def vault(self) -> Vault:
        self.seconds = 0.0
        self.keys = MemoryKeyStore()
        return Vault(self.keys, MemoryKek(), monotonic=lambda: self.seconds)

    async def test_a_key_that_left_the_cache_is_fetched_again(
        self, store_world: StoreWorld, upstream: Upstream, vault: Vault
    ) -> None:
        machine = Machine(store_world, vault=vault)
        await vault.create([ONE, TWO])
        self.seconds = 1000.0

        told = await machine.hear(upstream.event(ONE, "seal"), upstream.event(TWO, "seal"))

        assert told == ["applied", "applied"]
        sealed = (await machine.world.kept(ONE))["code"]
        (notice,) = [
            row
            for row in await machine.world.outbox()
            if row.topic.endswith(".intake") and row.request_id == ONE
        ]
        assert sealed.encode() in notice.value
        await machine.is_sound(ONE, TWO)

    async def test_a_destroyed_key_is_its_own_request_s_trouble(
        self, store_world: StoreWorld, upstream: Upstream, vault: Vault
    ) -> None:
        machine = Machine(store_world, vault=vault)
        await vault.create([ONE, TWO])
        await vault.destroy([ONE], "over")

        told = await machine.hear(upstream.event(ONE, "seal"), upstream.event(TWO, "seal"))

        assert told == ["dead", "applied"]
        (letter,) = await machine.world.letters()
        assert letter.reason == "unhandled:KeyDestroyed"
