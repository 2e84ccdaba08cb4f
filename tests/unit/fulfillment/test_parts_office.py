"""The parts office of the demonstration proves what it did: a repair order that is left, or one too few, is told."""

from pathlib import Path

import pytest

from deploy.demo.cascadia.people import Person, make_people
from deploy.demo.parts_office import PartsOffice
from deploy.demo.world import SYSTEMS
from services.fulfillment.connecting import connect
from shared.clock import SystemClock
from shared.settings import Settings


@pytest.fixture
def people() -> list[Person]:
    return [person for person in make_people(1, 60) if person.owns_car][:3]


@pytest.fixture
def office(tmp_path: Path, people: list[Person]) -> PartsOffice:
    office = PartsOffice(Settings(home=tmp_path))
    office.furnish(people, SYSTEMS)
    return office


def test_a_repair_order_that_is_left_is_told(office: PartsOffice, people: list[Person]) -> None:
    assert list(office.findings([people[0]], {})) == [
        "1 repair orders of people who asked for deletion are left"
    ]


def test_nothing_is_told_when_just_the_right_ones_went(office: PartsOffice, people: list[Person]) -> None:
    (office.records / f"RO-{people[0].number:05d}.txt").unlink()

    assert list(office.findings([people[0]], {})) == []


def test_a_name_that_was_not_put_right_is_told_and_one_that_was_is_not(
    office: PartsOffice, people: list[Person]
) -> None:
    order, renamed = office.records / f"RO-{people[0].number:05d}.txt", {people[0]: "Adah"}

    assert list(office.findings([], renamed)) == ["1 repair orders do not have the name that they should"]

    order.write_text(order.read_text().replace(people[0].first_name, "Adah", 1))
    assert list(office.findings([], renamed)) == []


def test_another_s_repair_order_that_went_or_changed_is_told(
    office: PartsOffice, people: list[Person]
) -> None:
    (office.records / f"RO-{people[1].number:05d}.txt").write_text("email: x\n")

    assert list(office.findings([], {})) == [
        "repair orders of people who did not ask for a change were changed"
    ]


def test_its_records_are_a_system_beside_the_others(office: PartsOffice, tmp_path: Path) -> None:
    del office

    connected = {each.entry.name for each in connect(tmp_path / "systems", tmp_path, SystemClock())}

    assert {"cascadia-service-records", "cascadia-crm"} <= connected
