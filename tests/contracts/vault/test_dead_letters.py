from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dead_letter_seal import KEPT_FOR, DeadLetterSeal, expired_months
from shared.vault import CannotUnseal, KeyDestroyed
from tests.support.vaults import World

RAW = b'{"email": "ann@example.com"'


def a_month() -> datetime:
    """A month of its own for each test: the real database is shared."""
    return datetime(2100 + uuid4().int % 7000, 3, 17, 12, tzinfo=UTC)


async def test_what_one_service_set_aside_another_process_shows(world: World) -> None:
    letter, now = uuid4(), a_month()

    sealed = await DeadLetterSeal(world.process()).seal(RAW, letter_id=letter, now=now)

    assert await DeadLetterSeal(world.process()).open(sealed, letter_id=letter) == RAW
    assert sealed.startswith(f"{now:%Y-%m}.")
    assert "ann" not in sealed


async def test_a_letter_opens_as_itself_only(world: World) -> None:
    seal, letter, now = DeadLetterSeal(world.process()), uuid4(), a_month()
    sealed = await seal.seal(RAW, letter_id=letter, now=now)

    for text, one in ((sealed, uuid4()), (sealed[:-4] + "AAAA", letter), ("2026-01", letter), ("", letter)):
        with pytest.raises(CannotUnseal) as refused:
            await seal.open(text, letter_id=one)
        assert "ann" not in str(refused.value)


async def test_sixty_days_after_its_month_began_a_letter_is_gone(world: World) -> None:
    letter, now = uuid4(), a_month()
    began = now.replace(day=1, hour=0)
    seal = DeadLetterSeal(world.process())
    sealed = await seal.seal(RAW, letter_id=letter, now=now)

    await seal.destroy_expired(began + KEPT_FOR - timedelta(seconds=1))
    assert await seal.open(sealed, letter_id=letter) == RAW

    for _ in range(2):
        await seal.destroy_expired(began + KEPT_FOR)
    with pytest.raises(KeyDestroyed):
        await seal.open(sealed, letter_id=letter)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_a_month_expires_sixty_days_after_it_began_and_never_while_it_runs(now: datetime) -> None:
    months = expired_months(now)
    newest = datetime.strptime(months[0], "%Y-%m").replace(tzinfo=UTC)
    following = (newest + timedelta(days=32)).replace(day=1)

    assert newest + KEPT_FOR <= now < following + KEPT_FOR
    assert f"{now:%Y-%m}" not in months
    assert len(set(months)) == 12
