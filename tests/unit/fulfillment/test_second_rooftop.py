"""The second rooftop of the sample: connected, reachable by the same addresses, and never anybody else's to act in."""

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from deploy.demo.cascadia.people import make_people
from deploy.demo.rooftop import SYSTEM, Rooftop
from deploy.demo.world import SYSTEMS
from services.fulfillment.connecting import connect
from services.fulfillment.domain import Catalogue
from services.fulfillment.domain.catalogue import Period
from services.fulfillment.ports import Frozen, Subject
from shared.clock import SystemClock
from shared.policy.rights import Right
from tests.support.facts import RECEIVED_AT

PEOPLE = make_people(1, 5)
TODAY = Period(RECEIVED_AT, RECEIVED_AT)
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def furnished(home: Path) -> Rooftop:
    shutil.copytree(SYSTEMS, home / "systems")
    rooftop = Rooftop(home)
    rooftop.furnish(PEOPLE)
    return rooftop


async def test_its_people_could_be_found_and_no_request_of_the_first_business_leads_there(
    tmp_path: Path,
) -> None:
    furnished(tmp_path)
    connected = connect(tmp_path / "systems", tmp_path, SystemClock())
    (harbor,) = (one for one in connected if one.entry.name == SYSTEM)

    frozen = await harbor.adapter.find(Subject({"email": PEOPLE[0].email}), cut_off=NOW)

    assert isinstance(frozen, Frozen)
    assert frozen.rows == {"customers": ((1,),)}
    catalogue = Catalogue(one.entry for one in connected)
    for right in (Right.DELETE, Right.OPT_OUT, Right.CORRECT, Right.KNOW_SPECIFIC):
        assert SYSTEM not in {one.name for one in catalogue.serving("cascadia", right, TODAY)}
        assert SYSTEM not in catalogue.to_match("cascadia", right, TODAY)
    for each in connected:
        await each.adapter.close()


def test_a_row_of_it_that_changed_is_a_finding(tmp_path: Path) -> None:
    rooftop = furnished(tmp_path)
    assert list(rooftop.findings()) == []

    with sqlite3.connect(tmp_path / "harbor" / "customers.sqlite") as database:
        database.execute("UPDATE customers SET unsubscribed = 1 WHERE id = 2")

    assert list(rooftop.findings()) == ["1 rows of Harbor Motors, a business that nobody asked, were changed"]
