"""Where a person lives and what the business does select the laws; the strictest date of each clock rules."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.policy import Fact, Right, RightNotOfferedError, load_regime, regime_names
from shared.policy.selection import (
    UnknownFactError,
    UnknownResidencyError,
    parse_fact,
    residencies,
    select,
    select_by_right,
    strictest,
)

RECEIVED_AT = datetime(2026, 11, 20, 23, 30, tzinfo=ZoneInfo("America/Los_Angeles"))


def _names(residency: str, *facts: Fact) -> list[str]:
    return [regime.id for regime in select(residency, facts)]


@pytest.mark.parametrize(
    ("residency", "facts", "names"),
    [
        ("US-CA", (), ["us-ca-ccpa"]),
        ("US-CA", (Fact.DATA_BROKER,), ["us-ca-ccpa", "us-ca-delete-act"]),
        ("US-CA", (Fact.DIRECT_MARKETING_DISCLOSURE,), ["us-ca-ccpa", "us-ca-shine-the-light"]),
        ("US-CA", (Fact.ESTABLISHED_IN_EU,), ["eu-gdpr", "us-ca-ccpa"]),
        ("DE", (Fact.ESTABLISHED_IN_UK,), ["eu-gdpr", "uk-gdpr"]),
        ("NO", (), ["eu-gdpr"]),
        ("GB-SCT", (), ["uk-gdpr"]),
        ("US-FL", (), []),
        ("US-FL", (Fact.LARGE_PLATFORM,), ["us-fl-fdbr"]),
        ("US-NV", (Fact.CONSUMER_HEALTH_DATA,), ["us-nv-603a", "us-nv-health"]),
        ("CA-QC", (), ["ca-qc-private-sector"]),
        ("CA-ON", (), ["ca-pipeda"]),
        ("BR", (), ["br-lgpd"]),
        ("JP", (Fact.ESTABLISHED_IN_EU,), ["eu-gdpr"]),
    ],
)
def test_a_residency_and_the_facts_select_the_regimes(
    residency: str, facts: tuple[Fact, ...], names: list[str]
) -> None:
    assert _names(residency, *facts) == names


def test_every_regime_can_be_selected() -> None:
    found = {name for residency in residencies() for name in _names(residency, *Fact)}

    assert found == set(regime_names())


@pytest.mark.parametrize("residency", ["", "US", "US-XX", "us-ca", "JP"])
def test_a_place_that_no_law_of_ours_covers_is_refused_with_the_list(residency: str) -> None:
    with pytest.raises(UnknownResidencyError, match="residency must be one of AT, BE, "):
        select(residency)


def test_an_unknown_fact_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownFactError, match="a fact must be one of data_broker, "):
        parse_fact("rich")


def test_where_several_laws_apply_the_strictest_date_of_each_clock_rules() -> None:
    found = select_by_right("US-CA", [Fact.ESTABLISHED_IN_EU], Right.DELETE, RECEIVED_AT)

    dues = strictest(found.values())

    assert list(found) == ["eu-gdpr", "us-ca-ccpa"]
    assert dues["acknowledge_by"] == found["us-ca-ccpa"].acknowledge_by
    assert dues["respond_by"] == found["eu-gdpr"].respond_by
    assert dues["extend_to"] == found["us-ca-ccpa"].extend_to
    assert dues["effective_by"] is None


def test_the_strictest_is_the_one_that_is_late_first_and_not_the_one_with_the_smaller_date() -> None:
    """In California the day of receipt began later: one date can be late at two instants."""
    found = select_by_right("DE", [Fact.ESTABLISHED_IN_UK], Right.DELETE, RECEIVED_AT)
    dates = {clocks.respond_by.date for clocks in found.values() if clocks.respond_by}

    assert dates == {date(2026, 12, 21)}
    for every in (list(found.values()), list(reversed(found.values()))):
        assert strictest(every)["respond_by"] == found["eu-gdpr"].respond_by


def test_a_law_that_lacks_the_right_says_nothing_of_it() -> None:
    found = select_by_right("US-CA", [Fact.ESTABLISHED_IN_EU], Right.OPT_OUT, RECEIVED_AT)

    assert list(found) == ["us-ca-ccpa"]


def test_a_right_that_none_of_the_laws_grants_is_refused_by_all_of_them() -> None:
    with pytest.raises(
        RightNotOfferedError, match=r"does not exist in eu-gdpr.*does not exist in us-ca-ccpa"
    ):
        select_by_right("US-CA", [Fact.ESTABLISHED_IN_EU], Right.APPEAL, RECEIVED_AT)


def test_a_place_without_a_law_for_this_business_is_refused() -> None:
    with pytest.raises(RightNotOfferedError, match="no regime applies to US-FL"):
        select_by_right("US-FL", [], Right.DELETE, RECEIVED_AT)


def test_no_two_regimes_protect_the_same_residents_without_a_fact_that_tells_them_apart() -> None:
    plain = [name for name in regime_names() if not load_regime(name).rules.applies.facts]
    places = [place for name in plain for place in load_regime(name).rules.applies.residencies]

    assert len(places) == len(set(places))
