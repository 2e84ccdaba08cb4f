"""`habeas policy check`, `diff`, `calendars`, and the list that `show` prints."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from deploy.cli import policy
from shared.policy import regime_names
from shared.policy.calendars.holidays import Holiday
from shared.policy.regimes import parse_calendars, places, table_of

CCPA = files("shared.policy").joinpath("us-ca-ccpa.yaml").read_text("utf-8")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(policy.app, list(arguments))


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """California's file with one number changed."""
    path = tmp_path / "changed.yaml"
    path.write_text(CCPA.replace("n: 15\n", "n: 14\n", 1), "utf-8")
    return path


def test_every_installed_file_is_sound() -> None:
    result = _run("check", "--json")

    assert result.exit_code == 0
    assert {one["name"] for one in json.loads(result.stdout)} == {
        *regime_names(),
        *(f"calendars/{place}" for place in places()),
    }


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("n: 15\n", "n: 0\n", "rights.opt_out.clocks.effective.business_day.n: Input should be greater"),
        ("offered: true", "offered: maybe", "offered: Input should be a valid boolean"),
        ("offered: true", "offered: true\nofferd: true", "offerd: Extra inputs are not permitted"),
        ("offered: true", "offered: true\noffered: true", "offered stands there twice"),
        ("latest_calendar: mon_fri", "latest_calendar: lunar", "us-ca has no calendar lunar"),
        ("regime: us-ca-ccpa", "regime: [", "while parsing"),
    ],
)
def test_a_broken_file_is_named_with_the_place_that_is_wrong(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(CCPA.replace(old, new), "utf-8")

    result = _run("check", str(path))

    assert result.exit_code == 1
    assert result.stderr.startswith(f"{path}: ")
    assert problem in result.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = _run("check", str(tmp_path / "none.yaml"))

    assert result.exit_code == 1
    assert "none.yaml" in result.stderr


def test_a_file_that_is_sound_says_what_it_holds(changed: Path) -> None:
    assert _run("check", str(changed)).stdout.startswith(
        f"{changed}: 10 rights, offered, 0 unconfirmed, version "
    )


def test_a_change_of_the_law_is_read_rule_by_rule(changed: Path) -> None:
    result = _run("diff", "us-ca-ccpa", str(changed), "--json")

    assert json.loads(result.stdout) == [
        {"path": "rights.opt_out.clocks.effective.n", "before": "15", "after": "14"}
    ]
    assert "rights.opt_out.clocks.effective.n" in _run("diff", "us-ca-ccpa", str(changed)).stdout.replace(
        "\n", ""
    )


def test_a_regime_does_not_differ_from_itself() -> None:
    assert _run("diff", "us-va-vcdpa", "us-va-vcdpa").stdout == "no difference\n"


def test_the_states_differ_where_the_law_says() -> None:
    found = json.loads(_run("diff", "us-va-vcdpa", "us-ia-icdpa", "--json").stdout)
    values = {one["path"]: (one["before"], one["after"]) for one in found}

    assert values["rights.delete.clocks.respond.n"] == ("45", "90")
    assert values["rights.correct.clocks.respond.n"] == ("45", None)


@pytest.mark.parametrize("name", ["us-xx", "../us-ca-ccpa"])
def test_a_regime_that_is_not_there_cannot_be_compared(name: str) -> None:
    result = _run("diff", name, "us-ca-ccpa")

    assert result.exit_code == 2
    assert result.stderr.startswith("--regime: regime must be one of ")


def test_a_file_that_is_not_sound_cannot_be_compared(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("regime: us-ca-ccpa\n", "utf-8")

    result = _run("diff", str(path), "us-ca-ccpa")

    assert result.exit_code == 2
    assert "habeas policy check says where" in result.stderr


@pytest.mark.parametrize("place", places())
def test_a_drafted_year_can_be_pasted_into_its_table(place: str) -> None:
    result = _run("calendars", "--year", "2031", "--place", place)

    rows = [Holiday.model_validate(row) for row in yaml.safe_load(result.stdout)]
    columns = parse_calendars(table_of(place)).columns.keys()
    assert {row.day.year for row in rows} == {2031}
    assert {column for row in rows for column in row.columns} <= set(columns)


def test_the_tables_are_listed_with_their_years() -> None:
    assert [one["place"] for one in json.loads(_run("calendars", "--json").stdout)] == list(places())
    assert "2026 to " in _run("calendars").stdout


def test_an_unknown_place_is_refused() -> None:
    result = _run("calendars", "--place", "mars")

    assert result.exit_code == 2
    assert result.stderr == "--place: place must be one of eu, gb-eaw, us-ca.\n"


def test_all_regimes_are_listed() -> None:
    printed = json.loads(_run("show", "--json").stdout)

    assert [one["regime"] for one in printed] == list(regime_names())
    assert [one["regime"] for one in printed if one["offered"]] == ["us-ca-ccpa"]
    assert all(one["offered"] or one["because"] for one in printed)


def test_a_regime_that_is_not_offered_says_so_when_it_is_shown() -> None:
    shown = " ".join(_run("show", "us-va-vcdpa").stdout.split())

    assert "us-va-vcdpa is not offered: some of its rules were not compared" in shown


def test_a_right_without_its_regime_is_refused() -> None:
    assert _run("show", "--right", "delete").stderr == "--right: name the regime too.\n"
