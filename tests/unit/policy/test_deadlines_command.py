"""`habeas deadlines compute` for every regime: events, facts, residencies, zones, and each wrong value."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import deadlines
from shared.policy import load_regime, regime_names

KEYS = ["right", "received_on", "acknowledge_by", "respond_by", "extend_to", "effective_by"]
LATE_IN_2027 = "2027-06-01T12:00:00Z"
LONDON = ("--regime", "uk-gdpr", "--right", "access", "--received", "2026-09-03T09:00:00+01:00")
CALIFORNIA = ("--regime", "us-ca-ccpa", "--right", "delete", "--received", "2026-02-02T11:00:00-08:00")


def _run(*options: str) -> Result:
    return CliRunner().invoke(deadlines.app, ["compute", *options])


def _json(*options: str) -> dict[str, Any]:
    result = _run(*options, "--json")
    assert result.exit_code == 0, result.output
    printed: dict[str, Any] = json.loads(result.stdout)
    return printed


@pytest.mark.parametrize("name", regime_names())
def test_every_right_of_every_regime_is_printed_in_the_one_shape(name: str) -> None:
    for right in load_regime(name).rules.rights:
        printed = _json("--regime", name, "--right", str(right), "--received", LATE_IN_2027)

        assert list(printed) == KEYS
        dues = [printed[key] for key in KEYS[2:] if printed[key] is not None]
        assert all(list(due) == ["date", "late_from", "legal_latest", "cite"] for due in dues)


@pytest.mark.parametrize("name", [name for name in regime_names() if name != "us-ca-ccpa"])
def test_a_regime_that_is_not_offered_says_so_beside_its_dates(name: str) -> None:
    right = next(iter(load_regime(name).rules.rights))

    result = _run("--regime", name, "--right", str(right), "--received", LATE_IN_2027, "--json")

    assert result.exit_code == 0
    assert result.stderr.startswith(f"Note: {name} is not offered: ")
    assert result.stderr.count("\n") == 1


def test_an_unconfirmed_regime_names_what_is_unconfirmed() -> None:
    result = _run("--regime", "us-va-vcdpa", "--right", "delete", "--received", LATE_IN_2027)

    assert "Unconfirmed: know_specific.verification, know_specific.extend, " in result.stderr


@pytest.mark.parametrize(
    ("place", "name"), [("us-va", "us-va-vcdpa"), ("eu", "eu-gdpr"), ("ca-qc", "ca-qc-private-sector")]
)
def test_a_place_that_has_one_law_names_it(place: str, name: str) -> None:
    options = ("--right", "access", "--received", LATE_IN_2027)

    assert _json("--regime", place, *options) == _json("--regime", name, *options)


@pytest.mark.parametrize("place", ["us-ca", "us-nv", "us", "", "ca"])
def test_a_place_that_has_several_laws_or_none_names_nothing(place: str) -> None:
    result = _run("--regime", place, "--right", "access", "--received", LATE_IN_2027)

    assert result.exit_code == 2
    assert result.stderr.startswith("--regime: regime must be one of ")


def test_california_is_offered_and_says_nothing_besides() -> None:
    assert _run(*CALIFORNIA, "--json").stderr == ""


def test_events_are_printed_with_what_they_did() -> None:
    printed = _json(*CALIFORNIA, "--event", "extension-notice:2026-03-10", "--event", "verified:2026-03-12")

    assert list(printed) == [*KEYS, "events"]
    assert printed["extend_to"]["date"] == "2026-05-03"
    assert printed["events"] == [
        {"event": "extension-notice", "on": "2026-03-10", "moved": True, "why": "extends the period"},
        {
            "event": "authenticated",
            "on": "2026-03-12",
            "moved": False,
            "why": "moves no date of this right",
        },
    ]


def test_a_notice_that_comes_too_late_leaves_no_extended_date() -> None:
    printed = _json(*CALIFORNIA, "--event", "extension-notice:2026-03-20T00:00:00-07:00")

    assert printed["extend_to"] is None
    assert printed["events"][0]["why"] == "refused: too late, the first period ended on 2026-03-19"


def test_an_instant_is_placed_on_the_regimes_own_day() -> None:
    printed = _json(*CALIFORNIA, "--event", "extension-notice:2026-03-20T06:59:59Z")

    assert printed["events"][0]["on"] == "2026-03-19"
    assert printed["extend_to"] is not None


def test_a_clarification_moves_the_british_date() -> None:
    asked = ("--event", "clarification-asked:2026-09-07", "--event", "clarification-received:2026-09-14")

    assert _json(*LONDON)["respond_by"]["date"] == "2026-10-05"
    assert _json(*LONDON, *asked)["respond_by"]["date"] == "2026-10-12"


def test_waits_appeals_and_limits_are_printed_when_something_starts_them() -> None:
    options = ("--regime", "us-ca-ccpa", "--received", "2026-02-02T11:00:00-08:00")
    earlier = ("--event", "earlier-request:2025-06-01", "--event", "earlier-request:2025-09-01")

    waits = _json(*options, "--right", "opt_out", "--event", "complied:2028-02-29")
    limit = _json(*options, "--right", "know", *earlier)
    appeal = _json(
        "--regime",
        "us-co-cpa",
        "--right",
        "delete",
        "--received",
        LATE_IN_2027,
        "--event",
        "appealed:2027-08-02",
    )

    assert waits["ask_again_from"] == "2029-03-01"
    assert limit["limit"] == {"reached": True, "again_from": "2026-06-01", "cite": "Civ. Code 1798.130(b)"}
    assert appeal["appeal"]["respond_by"]["date"] == "2027-09-16"


@pytest.mark.parametrize(
    ("right", "event", "key", "why"),
    [
        ("delete", "earlier-request:2026-01-05", "limit", "does not limit how often"),
        ("delete", "complied:2026-03-02", "ask_again_from", "nobody has to wait"),
        ("delete", "appealed:2026-03-02", "appeal", "creates no appeal"),
    ],
)
def test_what_a_law_lacks_is_said_and_starts_nothing(right: str, event: str, key: str, why: str) -> None:
    printed = _json(*CALIFORNIA[:2], "--right", right, *CALIFORNIA[4:], "--event", event)

    assert why in printed["events"][0]["why"]
    assert key not in printed


def test_every_counted_day_is_explained() -> None:
    printed = _json(*CALIFORNIA, "--explain")

    days = printed["explained"]["acknowledge_by"]
    assert days[0] == {"day": "2026-02-02", "counted": None, "why": "the day of receipt does not count"}
    assert days[-1] == {"day": "2026-02-13", "counted": 10, "why": "business day 10 of 10"}
    assert [day["why"] for day in days if day["counted"] is None][1:] == ["Sunday"]


def test_what_recurs_is_explained_with_its_next_day() -> None:
    options = ("--regime", "us-ca-delete-act", "--right", "delete", "--received", "2026-08-01T12:00:00-07:00")

    assert _json(*options, "--explain")["due_again_on"] == "2026-09-15"


def test_a_person_reads_the_days_and_what_happened() -> None:
    result = _run(*LONDON, "--event", "clarification-asked:2026-09-07", "--explain")

    assert "respond_by, day by day" in result.stdout
    assert "clarification-asked on 2026-09-07: the clock stands until" in result.stdout


def test_a_residency_shows_every_regime_and_the_strictest_date_of_each_clock() -> None:
    printed = _json(
        *("--residency", "US-CA", "--fact", "established_in_eu", "--right", "delete"),
        *("--received", "2026-11-20T23:30:00-08:00"),
    )

    assert list(printed["regimes"]) == ["eu-gdpr", "us-ca-ccpa"]
    assert printed["received_on"] == "2026-11-20"
    assert printed["respond_by"] == printed["regimes"]["eu-gdpr"]["respond_by"]
    assert printed["extend_to"] == printed["regimes"]["us-ca-ccpa"]["extend_to"]


def test_a_person_reads_the_strictest_dates_last() -> None:
    result = _run("--residency", "DE", "--right", "delete", "--received", LATE_IN_2027)

    assert result.stdout.splitlines()[-1] == "strictest of 1: respond_by 2027-07-01, extend_to 2027-09-01"


def test_a_fact_chooses_the_longer_clock() -> None:
    options = ("--regime", "us-ca-shine-the-light", "--right", "shine_the_light", "--received", LATE_IN_2027)

    assert _json(*options)["respond_by"]["date"] == "2027-07-01"
    assert _json(*options, "--fact", "undesignated_address")["respond_by"]["date"] == "2027-10-29"


def test_a_zone_places_a_time_without_an_offset() -> None:
    options = ("--regime", "us-ca-ccpa", "--right", "delete", "--received", "2026-04-01T08:00")

    tokyo = _json(*options, "--zone", "Asia/Tokyo")
    california = _json(*options, "--zone", "America/Los_Angeles")

    assert (tokyo["received_on"], california["received_on"]) == ("2026-03-31", "2026-04-01")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--zone", "Mars/Olympus"), "--zone: no such time zone; write it as America/Los_Angeles."),
        (("--zone", "America"), "--zone: no such time zone; "),
        (("--zone", "../../etc/passwd"), "--zone: no such time zone; "),
        (("--zone", ""), "--zone: no such time zone; "),
        (("--event", "party:2026-03-10"), "--event: an event must be one of extension-notice, "),
        (("--event", "extension-notice"), "--event: not a date that exists, "),
        (("--event", "extension-notice:2026-02-30"), "--event: not a date that exists, "),
        (("--event", "extension-notice:2026-03-10T09:00"), "--event: not a date that exists, or a time "),
        (("--event", "extension-notice:2026-02-01"), "--event: extension-notice on 2026-02-01 lies before "),
        (("--fact", "rich"), "--fact: a fact must be one of data_broker, "),
        (("--residency", "US-CA"), "--regime: name a regime, or the place "),
    ],
)
def test_a_wrong_option_is_refused_in_one_sentence(options: tuple[str, ...], sentence: str) -> None:
    result = _run(*CALIFORNIA, *options)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--right", "delete"), "--regime: name a regime, or the place "),
        (("--residency", "MARS", "--right", "delete"), "--residency: residency must be one of "),
        (("--residency", "US-FL", "--right", "delete"), "--residency: no regime applies; see --fact."),
        (("--residency", "US-IA", "--right", "correct"), "--right: right correct does not exist in us-ia-"),
        (("--regime", "us-al-apdpa", "--right", "delete"), "--received: regime us-al-apdpa covers requests "),
        (("--regime", "uk-gdpr", "--right", "appeal"), "--received: right appeal covers requests received "),
    ],
)
def test_what_no_law_covers_is_refused_in_one_sentence(options: tuple[str, ...], sentence: str) -> None:
    result = _run(*options, "--received", "2026-03-02T12:00:00Z")

    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("wall", ["2026-03-08T02:00:00", "2026-03-08T02:59:59.999999", "2027-03-14T02:30"])
def test_a_time_that_the_clocks_jump_over_is_refused(wall: str) -> None:
    result = _run(
        *("--regime", "us-ca-ccpa", "--right", "delete", "--received", wall),
        *("--zone", "America/Los_Angeles"),
    )

    assert result.exit_code == 2
    assert result.stderr.startswith("--received: the clocks in America/Los_Angeles jump over that time; ")


def test_an_hour_that_comes_twice_is_the_same_day_either_way() -> None:
    twice = ("2026-11-01T01:30:00-07:00", "2026-11-01T01:30:00-08:00")

    first, second = (_json(*CALIFORNIA[:4], "--received", received) for received in twice)

    assert first == second


def test_a_day_without_a_time_is_not_an_instant() -> None:
    result = _run(*CALIFORNIA[:4], "--received", "2026-01-15", "--zone", "America/Los_Angeles")

    assert result.exit_code == 2
    assert "the offset from UTC is missing" in result.stderr
