"""Enforcement failures in what people were told: noticed by `habeas notices`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from tests.support.front_desk import desk

LINKS = (
    "--policy-url",
    "https://cascadia.example/privacy",
    "--sensitive-as-permitted",
    "--no-sells-under-16",
)


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["notices", *words])


def published(folder: Path, **changed: Any) -> Path:
    """The demonstration's policy as it was published, with something else in it."""
    policy = json.loads(typed("policy", "--business", "cascadia", "--json").stdout)
    (folder / "policy.json").write_text(json.dumps({**policy, **changed}))
    return folder / "policy.json"


def test_11_tractor_supply_left_its_policy_for_years_and_ours_is_named_after_twelve_months(
    tmp_path: Path,
) -> None:
    """CPPA, September 2025: the privacy policy was not brought up to date every twelve months."""
    assert typed("check", str(published(tmp_path))).exit_code == 0

    answer = typed("check", str(published(tmp_path, made_on="2025-11-01")))

    assert answer.exit_code == 1
    assert "it is to be brought up to date every twelve months" in answer.stdout


def test_11_a_policy_that_the_maps_contradict_is_named(tmp_path: Path) -> None:
    answer = typed("check", str(published(tmp_path, categories=[])))

    assert answer.exit_code == 1
    assert "identifiers: collected by now, and not in it" in answer.stdout


@pytest.mark.parametrize("channel", ["web", "phone", "mail", "store"])
def test_11_tractor_supply_told_applicants_of_no_rights_and_ours_takes_anybodys_request(channel: str) -> None:
    """An applicant or an employee is nobody's customer, and is not asked to be one."""
    said = {"right": "delete", "residency": "US-CA", "email": "ada@example.com", "channel": channel}

    assert not isinstance(desk().read(json.dumps(said).encode()), tuple)


def in_apps(monkeypatch: pytest.MonkeyPatch, **said: Any) -> None:
    """The business says in intake's settings where people opt out."""
    business = {"name": "Cascadia Motors", "opt_out": "https://cascadia.example/no", **said}
    monkeypatch.setenv("HABEAS_INTAKE_BUSINESSES", json.dumps({"cascadia": business}))


def test_16_jam_city_had_apps_without_a_way_to_opt_out_and_ours_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Attorney General, November 2025: twenty-one apps, and none of them let anybody opt out."""
    ways = {
        "the website": "https://cascadia.example/no",
        "the app": "Settings, then Privacy",
        "the game": None,
    }
    in_apps(monkeypatch, places=ways)

    answer = typed("collection", "--business", "cascadia", *LINKS[:3])

    assert answer.exit_code == 1
    assert "gap: no way to opt out in the game (places in intake's settings)" in answer.stderr
    assert "in the app" not in answer.stderr
    assert "<p>In the app: Settings, then Privacy</p>" in answer.stdout


def test_16_jam_city_sold_teenagers_without_their_opting_in_and_ours_asks_where_they_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("policy", "--business", "cascadia", "--sensitive-as-permitted", "--sells-under-16")
    in_apps(monkeypatch)
    without = typed(*words)
    in_apps(monkeypatch, opt_in_under_16="https://cascadia.example/under-16")

    assert without.exit_code == 1
    assert "no place where they, or their parents, opt in" in without.stderr
    assert "under 16" not in typed(*words).stderr


def test_19_a_place_that_leads_to_an_associations_tool_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    in_apps(monkeypatch, places={"the app": "https://youradchoices.com/control"})

    assert "is an association's tool" in typed("collection", "--business", "cascadia", *LINKS[:3]).stderr


@pytest.mark.parametrize(
    "tool",
    ["https://optout.aboutads.info/", "https://thenai.org/opt-out/", "https://optout.networkadvertising.org"],
)
def test_19_play_on_sent_readers_to_an_associations_tool_and_our_notice_takes_no_such_link(
    tool: str, tmp_path: Path
) -> None:
    """CPPA, March 2026: readers were sent to the tools of advertising associations."""
    words = ("collection", "--business", "cascadia", "--to", str(tmp_path / "notice.html"), *LINKS[:3])

    answer = typed(*words, "--opt-out-url", tool)

    assert answer.exit_code == 1
    assert "is an association's tool" in answer.stderr
    ours = typed(*words, "--opt-out-url", "https://cascadia.example/do-not-sell")
    assert "association" not in ours.stderr
