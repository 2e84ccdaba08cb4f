"""An act while others hold a lock: the same story on every server."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from services.fulfillment.datamap.systems import Limits
from services.fulfillment.ports import Frozen, Outcome
from tests.support.shop import CUT_OFF, Shop


async def deleted_while_locked(shop: Shop, frozen: Frozen, *, address: sa.URL, lock: str) -> Outcome:
    """What a deletion answers that has a fifth of a second, while somebody at the address holds this lock."""
    hasty = shop.adapter(shop.system(limits=Limits(statement_seconds=0.2)))
    engine = create_async_engine(address)
    async with engine.begin() as connection:
        await connection.execute(sa.text(lock))
        outcome = await hasty.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="0123456789abcdef")
        await connection.rollback()
    await engine.dispose()
    return outcome
