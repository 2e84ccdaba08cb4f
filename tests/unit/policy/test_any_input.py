"""Whatever is typed at the command line, the answer is dates or one sentence: never a traceback."""

import json
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from deploy.cli import deadlines
from shared.policy import Fact, Right, regime_names
from shared.policy.clockwork.happenings import Happening
from shared.policy.selection import residencies

quickly = settings(deadline=None, max_examples=60)
texts = st.text(max_size=12)
days = st.dates().map(str)
near = st.dates(min_value=date(2026, 1, 1), max_value=date(2029, 12, 31)).map(str)
offsets = st.sampled_from(["Z", "+00:00", "-08:00", "+14:00", "-12:00", "", "-99:00"])
moments = st.builds("{}T{}{}".format, days | near, st.times().map(str), offsets)
events = st.builds("{}:{}".format, st.sampled_from(list(Happening)) | texts, near | days | moments | texts)
places = st.sampled_from(residencies()) | texts


def _run(*options: str) -> Result:
    return CliRunner().invoke(deadlines.app, ["compute", *options, "--json"])


def _sound(result: Result) -> None:
    if result.exit_code == 0:
        assert json.loads(result.stdout)["received_on"]
        return
    assert result.exit_code == 2, result.exception
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(".\n")


@quickly
@given(
    st.sampled_from(regime_names()) | texts,
    st.sampled_from(list(Right)) | texts,
    moments | texts,
    st.lists(events, max_size=3),
)
@example("eu-gdpr", "delete", "9999-12-31T12:00:00Z", [])
@example("uk-gdpr", "access", "2029-12-31T12:00:00Z", ["clarification-asked:2030-01-02"])
@example("br-lgpd", "know_specific", "9999-12-25T12:00:00Z", [])
@example("us-va-vcdpa", "delete", "9999-12-31T23:59:59-12:00", [])
@example("us-va-vcdpa", "delete", "9999-10-03T12:00:00Z", ["appealed:9999-12-30", "complied:9999-12-31"])
@example(
    "us-nv-health", "delete", "2027-06-01T12:00:00Z", ["authenticated:2027-06-02", "appealed:2027-06-03"]
)
@example("us-ca-ccpa", "opt_out", "2027-06-01T12:00:00Z", ["complied:9999-12-31"])
@example(
    "us-ca-ccpa", "know", "2027-06-01T12:00:00Z", ["earlier-request:9999-12-31", "earlier-request:0001-01-01"]
)
@example("us-ca-shine-the-light", "shine_the_light", "2027-06-01T12:00:00Z", ["earlier-request:9999-12-31"])
@example("us-ca-ccpa", "delete", "2027-06-01T12:00:00Z", ["extension-notice:9999-12-31T23:59:59-12:00"])
def test_a_regime_a_right_a_time_and_events(regime: str, right: str, received: str, told: list[str]) -> None:
    options = [f"--regime={regime}", f"--right={right}", f"--received={received}"]

    _sound(_run(*options, *(f"--event={event}" for event in told), "--explain"))


@quickly
@given(
    places,
    st.lists(st.sampled_from(list(Fact)) | texts, max_size=2),
    near,
    st.sampled_from(list(Right)),
    texts,
)
def test_a_residency_with_facts_and_a_zone(
    place: str, facts: list[str], day: str, right: str, zone: str
) -> None:
    options = [f"--residency={place}", f"--right={right}", f"--received={day}T12:00", f"--zone={zone}"]

    _sound(_run(*options, *(f"--fact={fact}" for fact in facts)))


@pytest.mark.parametrize(
    "zone", ["UTC", "Pacific/Kiritimati", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut"]
)
def test_a_zone_that_is_none_of_the_laws_places_a_wall_clock(zone: str) -> None:
    result = _run("--regime=us-ca-ccpa", "--right=delete", "--received=2027-06-01T12:00", f"--zone={zone}")

    assert result.exit_code == 0
