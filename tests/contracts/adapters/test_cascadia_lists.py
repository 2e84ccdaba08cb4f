"""The sample's lead lists in an object store: every version is searched, with keys that allow no more than it takes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from deploy.demo.cascadia.lead_store import RIGHTS, Keys
from deploy.demo.cascadia.lists import BELOW, BUCKET, lists_of
from deploy.demo.cascadia.people import Person
from services.fulfillment.ports import Done, Frozen, Subject
from shared.privacy.claims import Correction
from tests.support.cascadia_world import CUT_OFF, World, opened_world
from tests.support.eventually import eventually

pytestmark = pytest.mark.connected
STARTER = """
import sys
from pathlib import Path
from deploy.demo.cascadia.lead_store import LeadStore
store = LeadStore(Path(sys.argv[1]))
print(store.start()[0].endpoint, flush=True)
sys.stdin.read()
"""


@pytest.fixture
async def world(postgresql: sa.URL, tmp_path: Path) -> AsyncIterator[World]:
    """A fresh one, its lead lists in an object store."""
    async with opened_world(postgresql, tmp_path, in_store=True) as fresh:
        yield fresh


def in_old_versions(world: World) -> Person:
    """Somebody of whom an older version of a list, and the current one, tells."""
    ids = {int(row["id"]) for _, row in lists_of(world.cascadia.places).past()}
    rows = (row for row in lists_of(world.cascadia.places).rows() if row["id"] in ids)
    emails = {str(row["email"]).lower() for row in rows}
    return next(person for person in world.cascadia.people if person.email in emails)


async def test_a_deletion_leaves_no_version_of_a_list_that_holds_the_person(world: World) -> None:
    person = in_old_versions(world)
    audit = await world.cascadia.audit().look()
    assert audit.past(person)
    assert set(audit.past(person)) <= set(audit.rows_left(person))

    await world.ask("delete", person)

    assert not (await audit.look()).rows_left(person)
    assert audit.bystanders_touched([person]) == ()


async def test_a_correction_is_of_the_current_version_and_older_ones_keep_what_they_held(
    world: World,
) -> None:
    person = in_old_versions(world)
    leads = world.adapters["cascadia-leads"]
    audit = await world.cascadia.audit().look()
    were = audit.past(person)
    found = await leads.find(Subject({"email": person.email}), cut_off=CUT_OFF)
    assert isinstance(found, Frozen)
    frozen = replace(found, corrections=(Correction(what="First name", should_be="Zoë"),))

    outcome = await leads.act("correct", frozen, cut_off=CUT_OFF, idempotency_key="a key")

    assert isinstance(outcome, Done)
    await audit.look()
    assert "leads" not in {system for system, _, _ in audit.not_corrected(person, "Zoë")}
    assert audit.past(person) == were


async def test_a_list_that_was_sent_back_to_its_seller_is_searched_too(world: World) -> None:
    places = world.cascadia.places
    returned = {row["email"].lower() for version, row in lists_of(places).past() if "returned" in version}
    person = next(person for person in world.cascadia.people if person.email in returned)

    await world.ask("delete", person)

    assert not {version for version, row in lists_of(places).past() if row["email"].lower() == person.email}


async def test_the_stores_keys_let_habeas_do_no_more_than_it_must(world: World) -> None:
    leads = world.systems["cascadia-leads"]
    keys = {name: secret.read() for name, secret in leads.secrets.items()}
    habeas = Keys(str(leads.settings["endpoint"]), **keys).client()

    assert (await world.adapters["cascadia-leads"].check()).ok
    with pytest.raises(habeas.exceptions.ClientError, match="AccessDenied"):
        habeas.delete_object(Bucket=BUCKET, Key=f"{BELOW}delivery-1.parquet")
    with pytest.raises(habeas.exceptions.ClientError, match="AccessDenied"):
        habeas.create_bucket(Bucket="another")


async def test_who_has_other_keys_is_not_let_in(world: World) -> None:
    leads = world.systems["cascadia-leads"]
    stranger = Keys(str(leads.settings["endpoint"]), leads.secrets["access_key"].read(), "guessed").client()

    with pytest.raises(stranger.exceptions.ClientError, match="SignatureDoesNotMatch"):
        stranger.list_object_versions(Bucket=BUCKET)


def test_the_store_allows_what_the_page_says_that_is_needed() -> None:
    page = Path("docs/plug-in-files.md").read_text()

    assert set(re.findall(r"s3:[A-Za-z]+", page)) == set(RIGHTS)


def test_the_store_ends_with_whoever_started_it_however_that_one_ends(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", STARTER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline().startswith(b"http://127.0.0.1:")
        assert len(told_of(tmp_path)) == 2, "the starter and the store"

        starter.send_signal(signal.SIGKILL)

    eventually(lambda: not told_of(tmp_path), within=30)


def told_of(folder: Path) -> set[int]:
    """The processes that were started with this folder."""
    found = set()
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(folder) in (one / "cmdline").read_bytes():
                found.add(int(one.name))
    return found
