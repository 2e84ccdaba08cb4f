"""What `habeas deadlines` and `habeas policy` print, and how they refuse."""

import json

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from deploy.cli import deadlines, policy
from shared.policy import load_regime

CCPA = load_regime("us-ca-ccpa")
RECEIVED = "2026-01-15T10:00:00-08:00"


def _compute(
    right: str = "delete", received: str = RECEIVED, regime: str = "us-ca-ccpa", *more: str
) -> Result:
    options = ["compute", "--regime", regime, "--right", right, "--received", received, *more]
    return CliRunner().invoke(deadlines.app, options)


def _show(*arguments: str) -> Result:
    return CliRunner().invoke(policy.app, ["show", *arguments])


def test_a_deletion_prints_exactly_the_documented_object() -> None:
    result = _compute("delete", RECEIVED, "us-ca-ccpa", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "right": "delete",
        "received_on": "2026-01-15",
        "acknowledge_by": {
            "date": "2026-01-28",
            "late_from": "2026-01-29T08:00:00Z",
            "legal_latest": "2026-01-30",
            "cite": "11 CCR 7021(a)",
        },
        "respond_by": {
            "date": "2026-03-01",
            "late_from": "2026-03-02T08:00:00Z",
            "legal_latest": "2026-03-02",
            "cite": "Civ. Code 1798.130(a)(2)(A); 11 CCR 7021(b)",
        },
        "extend_to": {
            "date": "2026-04-15",
            "late_from": "2026-04-16T07:00:00Z",
            "legal_latest": "2026-04-15",
            "cite": "Civ. Code 1798.130(a)(2)(A), 1798.145(h)(1); 11 CCR 7021(b)",
        },
        "effective_by": None,
    }


def test_an_opt_out_prints_its_only_clock_and_null_for_the_rest() -> None:
    printed = json.loads(_compute("opt_out", RECEIVED, "us-ca-ccpa", "--json").stdout)

    assert printed["effective_by"]["date"] == "2026-02-03"
    assert [printed[name] for name in ("acknowledge_by", "respond_by", "extend_to")] == [None] * 3


@pytest.mark.parametrize("alias", ["know", "access"])
def test_an_alias_is_answered_with_the_canonical_name(alias: str) -> None:
    assert json.loads(_compute(alias, RECEIVED, "us-ca-ccpa", "--json").stdout)["right"] == "know_specific"


def test_a_person_reads_the_same_dates_in_a_table() -> None:
    result = _compute()

    assert result.exit_code == 0
    assert "2026-01-28" in result.stdout
    assert "2026-03-01" in result.stdout


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("regime", "us-xx", "--regime: regime must be one of br-lgpd, "),
        ("right", "erase", "--right: right must be one of know_categories, "),
        (
            "right",
            "object",
            "--right: right object does not exist in us-ca-ccpa; it grants know_categories, ",
        ),
        (
            "right",
            "opt_out_admt",
            "--received: right opt_out_admt covers requests received from 2027-01-01 on.",
        ),
        ("received", "2026-01-15T10:00:00", "--received: the offset from UTC is missing; write it as 2026-"),
        ("received", "2026-01-15", "--received: the offset from UTC is missing; write it as 2026-"),
        (
            "received",
            "2026-02-30T10:00:00Z",
            "--received: not a date and time that exists; write it as 2026-",
        ),
        ("received", "yesterday", "--received: not a date and time that exists; write it as 2026-"),
        (
            "received",
            "2026-01-15T10:00:00-99:00",
            "--received: not a date and time that exists; write it as ",
        ),
        (
            "received",
            "2025-12-31T12:00:00-08:00",
            "--received: regime us-ca-ccpa covers requests received from ",
        ),
        ("received", "2040-01-01T12:00:00-08:00", "--received: the holiday table holds 2026 to "),
        ("received", "9999-12-31T23:00:00-12:00", "--received: the instant lies outside the years "),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_its_option(
    option: str, value: str, sentence: str
) -> None:
    result = _compute(**{option: value})

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(sentence)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("app", "command"), [(deadlines.app, "compute"), (policy.app, "show")])
def test_help_gives_examples(app: Typer, command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])

    assert result.exit_code == 0
    assert "Examples" in result.stdout


def test_a_regime_is_shown_whole_with_its_version() -> None:
    printed = json.loads(_show("us-ca-ccpa", "--json").stdout)

    assert printed["version"] == CCPA.version
    assert list(printed["rights"]) == [str(right) for right in CCPA.rules.rights]
    assert printed["rights"]["delete"]["clocks"]["respond"]["cite"]


def test_one_right_is_shown_alone() -> None:
    assert list(json.loads(_show("us-ca-ccpa", "--right", "know", "--json").stdout)["rights"]) == [
        "know_specific"
    ]


def test_a_person_reads_the_rights_in_a_table() -> None:
    result = _show("us-ca-ccpa")

    assert result.exit_code == 0
    assert all(right in result.stdout for right in CCPA.rules.rights)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("us-xx",), "--regime: "), (("us-ca-ccpa", "--right", "object"), "--right: ")],
)
def test_what_a_regime_lacks_is_refused(arguments: tuple[str, ...], sentence: str) -> None:
    result = _show(*arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(sentence)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"--regime": "us-ca-ccpa"}, "--regime: us-ca-ccpa has nothing repeated"),
        ({"--regime": "us-xx"}, "--regime: regime must be one of"),
        ({"--at": "2026-09-15"}, "--at: the offset from UTC is missing"),
        ({"--at": "yesterday"}, "--at: not a date and time that exists"),
        ({"--business": "Cascadia Motors"}, "--business: name the business"),
    ],
)
def test_an_access_that_cannot_be_stated_says_which_option_is_wrong(said: dict[str, str], field: str) -> None:
    options = {"--regime": "us-ca-delete-act", "--business": "cascadia", "--at": "2026-09-15T10:00:00-07:00"}

    result = CliRunner().invoke(
        deadlines.app, ["accessed", *(text for pair in {**options, **said}.items() for text in pair)]
    )

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(field)


@pytest.mark.parametrize(
    ("regime", "line"),
    [
        (
            "us-ca-ccpa",
            "know_categories, know_specific: need be answered 2 times in 12 months; about more a person",
        ),
        (
            "us-ca-ccpa",
            "12 months before the person may be asked to change their mind (Civ. Code 1798.135(c)(4)) [S]",
        ),
        ("us-ca-shine-the-light", "shine_the_light: need be answered once in a calendar year"),
        ("us-ca-delete-act", "at least every 45 days: the deletion platform is accessed"),
        ("us-fl-fdbr", "no date lies beyond 60 days from receipt (Fla. Stat. 501.706) [S]"),
    ],
)
def test_a_regime_says_its_limits_waits_caps_and_what_recurs(regime: str, line: str) -> None:
    printed = " ".join(_show(regime).stdout.split())

    assert line in printed
