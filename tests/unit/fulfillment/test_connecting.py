"""From system files to what the rules know of the systems."""

from pathlib import Path

import pytest

from services.fulfillment.connecting import connect
from services.fulfillment.datamap.model import MapError
from services.fulfillment.domain import Catalogue, SystemEntry
from services.fulfillment.domain.catalogue import Period
from shared.clock import SystemClock
from shared.policy.rights import Right
from tests.support.facts import RECEIVED_AT

SAMPLE = Path("deploy/systems")
TODAY = Period(RECEIVED_AT, RECEIVED_AT)


def sample() -> Catalogue:
    return Catalogue(each.entry for each in connect(SAMPLE, Path("home"), SystemClock()))


def names(right: Right) -> list[str]:
    return [entry.name for entry in sample().serving("cascadia", right, TODAY)]


def test_the_sample_business_is_connected_in_its_order() -> None:
    assert names(Right.DELETE) == [
        "cascadia-crm", "cascadia-dms", "cascadia-marketing", "cascadia-leads", "cascadia-mailer", "cascadia-helpdesk",
    ]  # fmt: skip
    assert names(Right.OPT_OUT) == ["cascadia-crm", "cascadia-marketing", "cascadia-leads", "cascadia-mailer"]
    assert names(Right.LIMIT) == []


def test_the_dealer_system_is_told_the_customer_number_by_the_crm() -> None:
    assert sample().to_match("cascadia", Right.DELETE, TODAY) == {"cascadia-crm": ("customer_id",)}
    assert sample().to_match("cascadia", Right.OPT_OUT, TODAY) == {}
    assert sample().out_of_reach() == ()


def test_a_service_without_systems_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(MapError, match="HABEAS_FULFILLMENT_SYSTEMS"):
        connect(tmp_path, tmp_path, SystemClock())


def test_all_that_is_wrong_with_all_connectors_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "map.yml").write_text("dataset: [{fides_key: m, collections: []}]")
    for name in ("one", "two"):
        text = f"system: {name}\nkind: http\nbusiness: b\ndataset: map.yml\n"
        (tmp_path / f"{name}.yaml").write_text(text)

    with pytest.raises(MapError) as caught:
        connect(tmp_path, tmp_path, SystemClock())

    assert [problem.partition(": connector: is needed")[0] for problem in caught.value.problems] == [
        "one",
        "two",
    ]


def test_a_memory_system_cannot_be_configured(tmp_path: Path) -> None:
    text = "system: s\nkind: memory\nbusiness: b\nurl: {file: url}\ndataset: d.yaml\n"
    (tmp_path / "s.yaml").write_text(text)

    with pytest.raises(MapError, match="there is no adapter 'memory'"):
        connect(tmp_path, tmp_path, SystemClock())


def entry(name: str, *finds_by: str, knows: tuple[str, ...] = (), source: bool = False) -> SystemEntry:
    return SystemEntry(
        name,
        "cascadia",
        frozenset({Right.DELETE}),
        finds_by=frozenset(finds_by),
        knows=frozenset(knows),
        identity_source=source,
    )


def test_a_number_that_a_household_shares_is_looked_up_only_where_nothing_else_finds() -> None:
    source = entry("crm", "email", "phone", knows=("email", "phone"), source=True)

    assert (
        Catalogue([source, entry("mail", "email", "phone")]).to_match("cascadia", Right.DELETE, TODAY) == {}
    )
    only_phone = Catalogue([source, entry("sms", "phone")])
    assert only_phone.to_match("cascadia", Right.DELETE, TODAY) == {"crm": ("phone",)}


def test_a_system_that_no_verified_person_can_be_found_in_is_named() -> None:
    source = entry("crm", "email", knows=("email", "customer_id"), source=True)

    catalogue = Catalogue([source, entry("erp", "loyalty_card"), entry("dms", "customer_id")])

    assert catalogue.out_of_reach() == ("erp",)
