"""No law is offered whose letters do not say what it asks for; what is in the way of the others is named."""

import pytest

from deploy.generation.law import in_the_way
from shared.policy import load_regime, regime_names
from tests.support.regimes import as_if_offered

OFFERED = [name for name in regime_names() if load_regime(name).rules.offered]


@pytest.mark.parametrize("name", OFFERED)
def test_nothing_is_in_the_way_of_a_law_that_is_offered(name: str) -> None:
    assert list(in_the_way(load_regime(name))) == []


def test_a_law_is_not_ready_because_its_file_says_that_it_is_offered() -> None:
    said = list(in_the_way(as_if_offered("us-va-vcdpa")))

    assert said[1:] == ["what its letters must say is not written down", "no denial says how to appeal"]
    assert said[0].endswith("rules to compare with an official text")


def test_statements_that_no_letter_makes_are_named() -> None:
    said = list(in_the_way(load_regime("eu-gdpr")))

    assert said == ["no letter says `complaint_to_authority`, `judicial_remedy`"]
