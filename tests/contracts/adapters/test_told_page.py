"""The page on systems that can only be told: each kind is begun and planned as it says, and it names what they take."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.adapters import email
from services.fulfillment.adapters.opendsr import adapter as opendsr
from services.fulfillment.told.subjects import TOLD

PAGE = Path("docs/tell-a-system.md").read_text("utf-8")
KINDS = re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)


def test_it_tells_of_every_kind_that_is_only_told() -> None:
    assert set(KINDS) == TOLD


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_begun_and_its_orders_are_told_with_a_name_in_the_place_of_the_person(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HABEAS_HOME", str(tmp_path))
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path))

    begun = CliRunner().invoke(app, ["systems", "new", kind, "mine"])
    told = CliRunner().invoke(app, ["systems", "plan", "mine", "--statements"])

    assert (begun.exit_code, told.exit_code) == (0, 0), begun.output + told.output
    assert ":email" in told.stdout


@pytest.mark.parametrize("name", sorted(email.SETTINGS | email.SECRETS | opendsr.SETTINGS | opendsr.SECRETS))
def test_it_names_every_setting_and_secret(name: str) -> None:
    assert re.search(rf"`{name}\b", PAGE)
