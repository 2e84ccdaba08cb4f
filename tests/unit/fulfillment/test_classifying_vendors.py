"""What a vendor is by law follows from its contract's terms and its flows, whatever the contract calls it."""

from typing import Any

import pytest

from services.fulfillment.vendors.terms import SERVICE_PROVIDER, THIRD_PARTY
from shared.policy.rights import Right
from tests.support.vendors import a_contract, a_flow, classed

ADVERTISING = a_flow("cross_context_advertising")


@pytest.mark.parametrize("called", ["service_provider", "contractor", "third_party"])
def test_with_every_term_it_is_what_its_contract_calls_it(called: str) -> None:
    found = classed(called)

    assert found.party == called
    assert found.missing == ()
    assert found.contradictions == ()


@pytest.mark.parametrize("term", SERVICE_PROVIDER, ids=lambda term: term.citation)
@pytest.mark.parametrize("called", ["service_provider", "contractor"])
def test_7051_a_without_any_one_term_it_is_a_third_party(called: str, term: Any) -> None:
    found = classed(called, contract=a_contract(called, without=term.name))

    assert found.party == "third_party"
    assert found.missing == (term,)
    assert [each.citation for each in found.contradictions] == ["Civ. Code 1798.140(ag), (ai)"]


def test_1798_140_j_1_b_a_contractor_certifies_that_it_understands_the_restrictions() -> None:
    found = classed("contractor", contract=a_contract("contractor", without="certification"))

    assert found.party == "third_party"
    assert [term.citation for term in found.missing] == ["Civ. Code 1798.140(j)(1)(B)"]


def test_1798_140_ag_2_who_engages_others_says_so_and_binds_them() -> None:
    found = classed(engages_others=True)

    assert found.party == "third_party"
    assert [term.name for term in found.missing] == ["subcontractors"]


@pytest.mark.parametrize("term", THIRD_PARTY, ids=lambda term: term.citation)
def test_7053_a_a_third_party_without_any_one_term_may_not_use_the_data(term: Any) -> None:
    found = classed("third_party", contract=a_contract("third_party", without=term.name))

    assert found.missing == (term,)
    assert [each.citation for each in found.contradictions] == ["11 CCR 7053"]


@pytest.mark.parametrize("dates", [{"ends_on": "2026-11-19"}, {"signed_on": "2026-11-21"}])
def test_a_contract_that_is_not_in_force_holds_no_term(dates: dict[str, str]) -> None:
    found = classed(contract=a_contract(**dates))

    assert found.party == "third_party"
    assert found.missing == SERVICE_PROVIDER


def test_a_contract_is_in_force_on_its_last_day() -> None:
    assert classed(contract=a_contract(ends_on="2026-11-20")).party == "service_provider"


def test_without_a_contract_every_term_is_missing() -> None:
    assert classed(contract=None).missing == SERVICE_PROVIDER


def test_7050_b_a_service_provider_used_for_cross_context_advertising_is_a_third_party_shared_with() -> None:
    found = classed(flows=[a_flow(), ADVERTISING])

    assert found.party == "third_party"
    assert found.disclosures == ("disclosure", "sharing")
    assert [(each.flow, each.citation) for each in found.contradictions] == [(1, "11 CCR 7050(b)")]


def test_7050_a_a_service_provider_that_uses_the_data_for_itself_is_a_third_party() -> None:
    found = classed(flows=[a_flow("own_purposes", in_return="other_value")])

    assert found.party == "third_party"
    assert found.disclosures == ("sale",)
    assert [each.flow for each in found.contradictions] == [0]


def test_who_works_by_itself_is_a_third_party_whatever_its_contract_says() -> None:
    found = classed(works="by_itself")

    assert found.party == "third_party"
    assert [each.citation for each in found.contradictions] == ["Civ. Code 1798.140(ag)(1)"]


@pytest.mark.parametrize("value", ["money", "other_value"])
def test_1798_140_ad_for_money_or_other_value_it_is_a_sale_to_a_third_party_alone(value: str) -> None:
    assert classed("third_party", flows=[a_flow(in_return=value)]).disclosures == ("sale",)
    assert classed("service_provider", flows=[a_flow(in_return=value)]).disclosures == ("disclosure",)


def test_1798_140_ah_advertising_across_contexts_is_sharing_even_for_nothing() -> None:
    assert classed("third_party", flows=[ADVERTISING]).disclosures == ("sharing",)


@pytest.mark.parametrize("called", ["service_provider", "contractor", "third_party"])
def test_7022_b_whoever_gets_data_is_told_of_deletions(called: str) -> None:
    assert Right.DELETE in classed(called).rights


def test_7026_f_only_those_who_were_sold_to_or_shared_with_are_told_of_opt_outs() -> None:
    assert classed("third_party", flows=[ADVERTISING]).rights == {Right.DELETE, Right.OPT_OUT, Right.LIMIT}
    assert classed("third_party").rights == {Right.DELETE}
    assert classed("service_provider").rights == {Right.DELETE, Right.CORRECT}


@pytest.mark.parametrize("called", ["service_provider", "contractor", "third_party"])
def test_7027_g_who_uses_sensitive_data_for_more_than_what_is_exempt_is_told_of_limits(called: str) -> None:
    def told(purpose: str, data: str) -> bool:
        return Right.LIMIT in classed(called, flows=[a_flow(purpose, data=[data])]).rights

    assert told("research", "sensitive")
    assert not told("security", "sensitive")
    assert not told("research", "identifiers")


def test_what_is_missing_for_want_of_any_contract_is_said_so() -> None:
    [found] = classed(contract=None).contradictions

    assert "that there is no contract makes it a third party" in found.says


def test_who_gets_nothing_is_told_nothing_and_lacks_nothing() -> None:
    found = classed("third_party", flows=[], contract=None, told=None)

    assert found.rights == frozenset()
    assert (found.missing, found.disclosures, found.contradictions) == ((), (), ())
