"""What every store of certificates must do; the one in memory and the table pass the same suite."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from services.deadline.ports import Addenda, Certificates, StoredAddendum, StoredCertificate
from services.deadline.storage import PostgresCertificates
from tests.support.installation import Installation
from tests.support.memory_certificates import MemoryCertificates

ONE = StoredCertificate(uuid4(), "a" * 64, "head.payload.signature", datetime(2026, 2, 3, 4, 5, 6, 789, UTC))


@pytest.fixture
async def table(installation: Installation) -> AsyncIterator[PostgresCertificates]:
    async with installation.pool("deadline") as pool:
        yield PostgresCertificates(pool)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.connected)])
def certificates(request: pytest.FixtureRequest) -> Certificates:
    if request.param == "memory":
        return MemoryCertificates()
    found: PostgresCertificates = request.getfixturevalue("table")
    return found


@pytest.fixture
def records(certificates: Certificates) -> Addenda:
    """The same store, as the place of addenda."""
    assert isinstance(certificates, MemoryCertificates | PostgresCertificates)
    return certificates


async def test_what_was_added_is_found_again(certificates: Certificates) -> None:
    await certificates.add(ONE)

    assert await certificates.find(ONE.request_id) == ONE


async def test_a_request_without_a_certificate_has_none(certificates: Certificates) -> None:
    await certificates.add(ONE)

    assert await certificates.find(uuid4()) is None


async def test_the_first_certificate_of_a_request_stands(certificates: Certificates) -> None:
    await certificates.add(ONE)

    await certificates.add(replace(ONE, jws="another", payload_sha256="b" * 64))

    assert await certificates.find(ONE.request_id) == ONE


async def test_addenda_are_kept_once_each_and_in_their_order(records: Addenda) -> None:
    later = StoredAddendum(uuid4(), uuid4(), "a" * 64, "a.b.c", ONE.created_at)
    earlier = replace(later, event_id=uuid4(), created_at=ONE.created_at - timedelta(days=1))

    for one in (later, earlier, replace(earlier, jws="another")):
        await records.add_addendum(one)

    assert await records.addenda_of(later.request_id) == [earlier, later]
    assert await records.addenda_of(uuid4()) == []


@pytest.mark.connected
@pytest.mark.parametrize("wrong", [{"payload_sha256": "short"}, {"payload_sha256": "A" * 64}])
async def test_the_table_takes_a_digest_and_nothing_else(
    table: PostgresCertificates, wrong: dict[str, Any]
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await table.add(replace(ONE, **wrong))
