"""The connector for Stripe that is shipped, against localstripe, which others wrote from Stripe's behavior.

`make connectors` starts it. Where it differs from what Stripe's own pages say, the last tests tell how.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.fulfillment.adapters.http import HttpAdapter
from services.fulfillment.ports import Adapter, Done, Export, Frozen, Gone, NeedsPerson, StillPresent, Subject
from shared.clock import SystemClock
from shared.privacy.claims import Correction
from shared.private_files import write_private
from tests.support.localstripe import KEY, PROGRAM, Searched, localstripe, version
from tests.support.vendor import Vendor, connector_of

pytestmark = pytest.mark.skipif(not os.environ.get(PROGRAM), reason="`make connectors` starts localstripe")

ADA = Subject({"email": "Ada.Canary@example.com"})
ADDRESS = {"line1": "1 Aspen Way", "city": "Bend", "postal_code": "97701"}
KEY_OF_TASK = "0123456789abcdef"


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, record_testsuite_property: Callable[[str, object], None]
) -> Iterator[str]:
    record_testsuite_property("version", version())
    with localstripe(tmp_path_factory.mktemp("localstripe")) as where:
        yield where


class Account:
    """One account at Stripe: whom it holds, and the adapter that reaches it."""

    def __init__(self, http: httpx2.AsyncClient, adapter: Adapter, secret: Path) -> None:
        self.http = http
        self.adapter = adapter
        self.secret = secret
        self.cut_off = SystemClock().now() + timedelta(minutes=1)

    async def holds(self, **customer: Any) -> str:
        said = await self.http.post("/v1/customers", json=customer)
        return str(said.json()["id"])

    async def shows(self, customer: str) -> dict[str, Any]:
        return dict((await self.http.get(f"/v1/customers/{customer}")).json())

    async def find(self) -> Frozen:
        found = await self.adapter.find(ADA, cut_off=self.cut_off)
        assert isinstance(found, Frozen), found
        return found

    async def act(self, right: str, frozen: Frozen) -> Any:
        return await self.adapter.act(right, frozen, cut_off=self.cut_off, idempotency_key=KEY_OF_TASK)

    async def prove(self, right: str, frozen: Frozen) -> Any:
        return await self.adapter.prove(right, frozen, cut_off=self.cut_off)


@pytest.fixture
async def account(address: str, tmp_path: Path) -> AsyncIterator[Account]:
    system = Vendor("stripe").system(address, tmp_path)
    transport = Searched()
    adapter = HttpAdapter(system, connector_of("stripe"), SystemClock(), transport)
    bearer = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(base_url=address, headers=bearer) as http:
        await http.delete("/_config/data")
        yield Account(http, adapter, tmp_path / "api_key")
    await adapter.close()


async def test_its_check_is_let_in_with_a_key_and_not_without_one(account: Account) -> None:
    let_in = await account.adapter.check()
    write_private(account.secret, b"nonsense")
    kept_out = await account.adapter.check()

    assert let_in.ok
    assert (kept_out.reachable, kept_out.credentials) == (True, False)


async def test_of_many_it_finds_the_person_in_every_spelling_and_nobody_else(account: Account) -> None:
    for number in range(25):
        await account.holds(email=f"ada.canary{number}@example.com")
    own = [await account.holds(email=each) for each in ("ada.canary@example.com", "ADA.CANARY@example.com")]

    found = await account.find()

    assert sorted(key[0] for key in found.rows["customers"]) == sorted(own)


async def test_who_came_after_the_cut_off_is_not_found(account: Account) -> None:
    await account.holds(email="ada.canary@example.com")
    account.cut_off = SystemClock().now() - timedelta(days=1)

    assert (await account.find()).count() == 0


async def test_it_shows_what_is_held(account: Account) -> None:
    await account.holds(
        email="ada.canary@example.com", name="Ada Canary", phone="+15415550100", address=ADDRESS
    )

    export = await account.adapter.export(await account.find(), cut_off=account.cut_off)

    assert isinstance(export, Export)
    [row] = [dict(row) for data in export.datasets for row in data.rows]
    assert (row["name"], row["phone"], row["email"]) == (
        "Ada Canary",
        "+15415550100",
        "ada.canary@example.com",
    )
    assert "1 Aspen Way" in str(row["address"])


async def test_a_deletion_is_done_once_and_proved_and_others_stay(account: Account) -> None:
    other = await account.holds(email="bea@example.com")
    await account.holds(email="ada.canary@example.com")
    frozen = await account.find()
    before = await account.prove("delete", frozen)

    first, second = await account.act("delete", frozen), await account.act("delete", frozen)

    assert isinstance(before, StillPresent)
    assert [erased(one) for one in (first, second)] == [1, 0]
    assert isinstance(await account.prove("delete", frozen), Gone)
    assert (await account.find()).count() == 0
    assert (await account.shows(other))["email"] == "bea@example.com"


async def test_an_opt_out_is_written_beside_the_metadata_that_was_there(account: Account) -> None:
    ada = await account.holds(email="ada.canary@example.com", metadata={"plan": "gold"})
    frozen = await account.find()

    outcome = await account.act("opt_out", frozen)

    assert isinstance(outcome, Done)
    assert isinstance(await account.prove("opt_out", frozen), Gone)
    assert (await account.shows(ada))["metadata"] == {"plan": "gold", "do_not_sell": "true"}


async def test_a_correction_changes_what_is_in_dispute_alone(account: Account) -> None:
    ada = await account.holds(email="ada.canary@example.com", name="Ada Canary", phone="+15415550100")
    wrong = Correction.model_validate({"what": "full name", "should_be": "Adah Canary"})
    frozen = replace(await account.find(), corrections=(wrong,))

    outcome = await account.act("correct", frozen)

    assert isinstance(outcome, Done)
    assert isinstance(await account.prove("correct", frozen), Gone)
    now = await account.shows(ada)
    assert (now["name"], now["phone"]) == ("Adah Canary", "+15415550100")


async def test_a_key_that_was_withdrawn_is_a_persons_to_mend(account: Account) -> None:
    await account.holds(email="ada.canary@example.com")
    frozen = await account.find()
    write_private(account.secret, b"nonsense")
    outcome = await account.act("delete", frozen)

    assert isinstance(outcome, NeedsPerson)
    assert outcome.kind == "credentials"


async def test_localstripe_forgets_a_deleted_customer_of_whom_stripe_says_that_it_is_deleted(
    account: Account,
) -> None:
    """Stripe's page "Retrieve a customer": a subset is returned, with `deleted` true. Both count as gone here."""
    ada = await account.holds(email="ada.canary@example.com")

    deleted = await account.http.delete(f"/v1/customers/{ada}")

    assert deleted.json() == {"id": ada, "object": "customer", "deleted": True}
    assert (await account.http.get(f"/v1/customers/{ada}")).status_code == 404


async def test_localstripe_has_no_search_by_which_stripe_is_asked_here(account: Account) -> None:
    """Stripe's page "Search customers". It takes `search` for a customer's id; so these tests answer for it."""
    asked = await account.http.get("/v1/customers/search", params={"query": 'email:"ada.canary@example.com"'})

    assert asked.status_code == 404


async def test_localstripe_knows_no_idempotency_keys(account: Account) -> None:
    """Stripe's page "Idempotent requests": the first answer again, and an error for other parameters."""
    ada = await account.holds(email="ada.canary@example.com")
    key = {"Idempotency-Key": KEY_OF_TASK}

    said = [
        await account.http.post(f"/v1/customers/{ada}", data={"name": name}, headers=key)
        for name in ("Ada", "Adah")
    ]

    assert [(one.status_code, one.json()["name"]) for one in said] == [(200, "Ada"), (200, "Adah")]


def erased(outcome: Any) -> int:
    assert isinstance(outcome, Done), outcome
    return sum(count.erased for count in outcome.receipt.datasets)
