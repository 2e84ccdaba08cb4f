"""What must hold for every key store: in memory and on a real PostgreSQL."""

import asyncio
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.vault import CannotUnseal, KekVersionMissing, KeyDestroyed, KeyNotOpen, KeyUnknown, Vault, rewrap
from tests.support.memory_vault import MemoryKek, MemoryKeyStore, memory_vault
from tests.support.vaults import World

PLAINTEXT = b"ann.lee@example.com"


async def test_what_one_process_seals_another_opens(world: World) -> None:
    request_id, message_id = uuid4(), uuid4()
    intake, fulfillment = world.process(), world.process()

    await intake.create([request_id])
    sealed = intake.seal(request_id, message_id, "claims", PLAINTEXT)
    await fulfillment.prefetch([request_id])

    assert fulfillment.open(request_id, message_id, "claims", sealed) == PLAINTEXT
    assert "ann" not in sealed


async def test_creating_twice_keeps_the_first_key(world: World) -> None:
    request_id, message_id = uuid4(), uuid4()
    first, second = world.process(), world.process()

    await first.create([request_id, request_id])
    sealed = first.seal(request_id, message_id, "claims", PLAINTEXT)
    await second.create([request_id])

    assert second.open(request_id, message_id, "claims", sealed) == PLAINTEXT


async def test_processes_that_create_at_once_end_with_one_key(world: World) -> None:
    ids, message_id = [uuid4() for _ in range(20)], uuid4()
    processes = [world.process() for _ in range(4)]

    await asyncio.gather(
        *(one.create(ids[::step]) for one, step in zip(processes, (1, -1, 1, -1), strict=True))
    )

    for request_id in ids:
        sealed = processes[0].seal(request_id, message_id, "claims", PLAINTEXT)
        assert all(one.open(request_id, message_id, "claims", sealed) == PLAINTEXT for one in processes)


@pytest.mark.parametrize("changed", ["request", "message", "field"])
async def test_a_sealed_text_opens_only_where_it_was_sealed(world: World, changed: str) -> None:
    request_id, other, message_id = uuid4(), uuid4(), uuid4()
    vault = world.process()
    await vault.create([request_id, other])
    sealed = vault.seal(request_id, message_id, "claims", PLAINTEXT)

    with pytest.raises(CannotUnseal) as refused:
        vault.open(
            other if changed == "request" else request_id,
            uuid4() if changed == "message" else message_id,
            "code" if changed == "field" else "claims",
            sealed,
        )

    assert "ann" not in str(refused.value)
    assert sealed not in str(refused.value)


async def test_a_changed_text_does_not_open(world: World) -> None:
    request_id, message_id = uuid4(), uuid4()
    vault = world.process()
    await vault.create([request_id])
    sealed = vault.seal(request_id, message_id, "claims", PLAINTEXT)

    for broken in (sealed[:-6] + "AAAAAA", sealed[:10], "", "no base64 at all!", "ä" + sealed[1:]):
        with pytest.raises(CannotUnseal):
            vault.open(request_id, message_id, "claims", broken)


async def test_after_destruction_no_process_unseals_and_no_key_comes_back(world: World) -> None:
    request_id, message_id = uuid4(), uuid4()
    intake, deadline, later = world.process(), world.process(), world.process()
    await intake.create([request_id])
    sealed = intake.seal(request_id, message_id, "claims", PLAINTEXT)

    for _ in range(2):
        await deadline.destroy([request_id], "closed long enough")
    world.seconds += 61
    await intake.create([request_id])
    await deadline.prefetch([request_id])
    await later.prefetch([request_id])

    for process in (intake, deadline, later):
        with pytest.raises(KeyDestroyed):
            process.open(request_id, message_id, "claims", sealed)
        with pytest.raises(KeyDestroyed):
            process.seal(request_id, message_id, "claims", PLAINTEXT)


async def test_a_request_that_never_had_a_key_gets_none_after_its_destruction(world: World) -> None:
    request_id = uuid4()

    await world.process().destroy([request_id], "closed")
    vault = world.process()
    await vault.create([request_id])

    with pytest.raises(KeyDestroyed):
        vault.seal(request_id, uuid4(), "claims", PLAINTEXT)


async def test_one_destroyed_key_does_not_stop_the_batch(world: World) -> None:
    gone, kept, unknown = uuid4(), uuid4(), uuid4()
    await world.process().create([gone, kept])
    await world.process().destroy([gone], "closed")
    vault = world.process()

    await vault.prefetch([gone, kept, unknown])

    assert vault.seal(kept, uuid4(), "claims", PLAINTEXT)
    with pytest.raises(KeyUnknown):
        vault.seal(unknown, uuid4(), "claims", PLAINTEXT)


async def test_an_unknown_key_is_asked_for_again(world: World) -> None:
    request_id = uuid4()
    early = world.process()
    await early.prefetch([request_id])

    await world.process().create([request_id])
    await early.prefetch([request_id])

    assert early.seal(request_id, uuid4(), "claims", PLAINTEXT)


async def test_a_key_stays_open_for_a_minute_at_most(world: World) -> None:
    request_id = uuid4()
    vault = world.process()
    await vault.create([request_id])

    world.seconds += 59
    assert vault.seal(request_id, uuid4(), "claims", PLAINTEXT)
    world.seconds += 1
    with pytest.raises(KeyNotOpen):
        vault.seal(request_id, uuid4(), "claims", PLAINTEXT)


async def test_a_prefetch_leaves_at_least_half_a_minute(world: World) -> None:
    request_id = uuid4()
    vault = world.process()
    await vault.create([request_id])

    world.seconds += 50
    await vault.prefetch([request_id])
    world.seconds += 29

    assert vault.seal(request_id, uuid4(), "claims", PLAINTEXT)


async def test_no_more_keys_are_held_than_allowed(world: World) -> None:
    ids = [uuid4() for _ in range(12)]
    vault = world.process(max_keys=10)
    await vault.create(ids[:6])
    await vault.create(ids[6:])

    vault.forget_expired()

    held = [one for one in ids if _is_open(vault, one)]
    assert len(held) == 10


def _is_open(vault: Vault, request_id: UUID) -> bool:
    try:
        vault.seal(request_id, uuid4(), "claims", PLAINTEXT)
    except KeyNotOpen:
        return False
    return True


async def test_after_a_rotation_everything_is_wrapped_anew_and_still_opens(world: World) -> None:
    ids, message_id = [uuid4() for _ in range(7)], uuid4()
    vault = world.process()
    await vault.create(ids)
    sealed = {one: vault.seal(one, message_id, "claims", PLAINTEXT) for one in ids}
    await vault.destroy(ids[:1], "closed")

    world.kek.rotate()
    done = await rewrap(world.keys, world.kek, batch=3)

    assert done.done >= 6
    fresh = world.process()
    await fresh.prefetch(ids)
    assert all(fresh.open(one, message_id, "claims", sealed[one]) == PLAINTEXT for one in ids[1:])
    with pytest.raises(KeyDestroyed):
        fresh.open(ids[0], message_id, "claims", sealed[ids[0]])


async def test_a_key_destroyed_while_it_is_wrapped_anew_stays_destroyed(world: World) -> None:
    request_id = uuid4()
    await world.process().create([request_id])
    (stored,) = await world.keys.open([request_id])
    assert stored.wrapped is not None

    await world.keys.destroy([request_id], "closed")

    assert not await world.keys.replace(request_id, stored.wrapped, stored.wrapped)
    (after,) = await world.keys.open([request_id])
    assert after.wrapped is None


async def test_two_processes_share_the_months_key(world: World) -> None:
    letter, month = uuid4(), f"{1000 + uuid4().int % 9000}-03"
    one, other = world.process(), world.process()

    key_id = await one.create_month(month)
    assert await other.create_month(month) == key_id

    assert other.open(key_id, letter, "dead_letter", one.seal(key_id, letter, "dead_letter", b"x")) == b"x"


async def test_a_wrapped_key_moved_to_another_request_does_not_open() -> None:
    keys = MemoryKeyStore()
    mine, stolen = uuid4(), uuid4()
    vault = memory_vault(keys)
    await vault.create([mine])
    keys.rows[stolen] = keys.rows[mine]

    await vault.prefetch([stolen])

    with pytest.raises(CannotUnseal):
        vault.seal(stolen, uuid4(), "claims", PLAINTEXT)


async def test_a_key_file_without_the_version_in_use_is_said_at_once(world: World) -> None:
    request_id = uuid4()
    world.kek.rotate()
    await world.process().create([request_id])

    with pytest.raises(KekVersionMissing):
        await world.process(kek=MemoryKek()).prefetch([request_id])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plaintext=st.binary(max_size=2000), field=st.text(max_size=30), message_id=st.uuids())
async def test_every_plaintext_comes_back(plaintext: bytes, field: str, message_id: UUID) -> None:
    vault, request_id = memory_vault(), uuid4()
    await vault.create([request_id])

    sealed = vault.seal(request_id, message_id, field, plaintext)

    assert vault.open(request_id, message_id, field, sealed) == plaintext
