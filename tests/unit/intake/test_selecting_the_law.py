"""Intake takes requests under the laws that the policy data offers, for the places that these name."""

from services.intake.desk import OFFERED, offered_regimes, regime_of
from shared.policy import load_regime, regime_names


def test_the_laws_taken_in_are_those_that_the_policy_data_offers() -> None:
    assert set(OFFERED) == {name for name in regime_names() if load_regime(name).rules.offered}
    assert tuple(offered_regimes()) == OFFERED


def test_every_place_of_an_offered_law_selects_it() -> None:
    named = {place for name in OFFERED for place in load_regime(name).rules.applies.residencies}

    assert set(regime_of()) == named
    assert regime_of()["US-CA"] == "us-ca-ccpa"
