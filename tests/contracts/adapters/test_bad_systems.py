"""Every kind of system, begun with `habeas systems new` and then written wrong or put out of reach: what is said.

What is said names the system or its file, the place in it and what to write; never a secret, an address or a person.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from typer.testing import CliRunner, Result

from deploy.cli.main import app

KINDS = (
    "sql", "http", "objects", "delta", "mongodb", "search", "redis", "opendsr", "webhook", "email", "files", "manual",
)  # fmt: skip
Written: TypeAlias = dict[str, Any]
HUSH = "hush-secret"
# What a check asks for before it looks at the address.
SIGNING = {"webhook": {"signing": "whsec_c2VjcmV0"}}


class Begun:
    """One system in a folder of its own, as somebody who has just begun with it has it."""

    def __init__(self, kind: str, home: Path) -> None:
        self.kind = kind
        self.home = home
        self.file = home / "systems" / "mine.yaml"
        assert self.typed("new", kind, "mine").exit_code == 0

    def typed(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["systems", *words])

    def restored(self) -> Result:
        """Its backup came back."""
        return CliRunner().invoke(app, ["restore", "replay", "mine", "--actor", "operator"])

    def wrong(self, change: Callable[[Written], object], *, in_map: bool = False) -> Result:
        """What a check says once this is written."""
        file = self.home / "systems" / "datasets" / "mine.yaml" if in_map else self.file
        written = yaml.safe_load(file.read_text())
        change(written["dataset"][0] if in_map else written)
        file.write_text(yaml.safe_dump(written))
        return self.typed("check")

    def told(self, **secrets: str) -> None:
        """Put these secrets where the system file says."""
        for name, text in secrets.items():
            file = self.home / "secrets" / f"mine.{name}"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            file.chmod(0o600)


@pytest.fixture(params=KINDS)
def begun(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begun:
    return begin(request.param, tmp_path, monkeypatch)


def begin(kind: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Begun:
    monkeypatch.setenv("HABEAS_HOME", str(home))
    monkeypatch.setenv("HABEAS_BUSINESS", "acme")
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(home / "systems"))
    return Begun(kind, home)


def last_field(written: Written) -> Written:
    field: Written = written["collections"][0]["fields"][-1]
    return field


def test_a_key_that_nobody_knows_is_named_with_what_may_be_meant(begun: Begun) -> None:
    said = begun.wrong(lambda written: written.update(tittle="Mine"))

    assert said.exit_code == 3
    assert said.output == f"{begun.file}: tittle: unknown key; did you mean title?\n"


@pytest.mark.parametrize("where", ["settings", "secrets"])
def test_a_setting_or_a_secret_that_the_kind_does_not_know_is_refused(begun: Begun, where: str) -> None:
    value: Any = {"file": "x"} if where == "secrets" else "x"

    said = begun.wrong(
        lambda written: (written.get(where) or written.setdefault(where, {})).update(bogus=value)
    )

    assert said.exit_code == 3
    assert "mine" in said.output
    assert where in said.output


def test_a_secret_in_the_file_itself_is_refused_and_not_repeated(begun: Begun) -> None:
    said = begun.wrong(lambda written: written.update(url=f"https://role:{HUSH}@host"))

    assert said.exit_code == 3
    assert f"{begun.file}: url: name where it is kept" in said.output
    assert HUSH not in said.output


def test_a_limit_of_another_type_is_named(begun: Begun) -> None:
    said = begun.wrong(lambda written: written.update(limits={"connections": "many"}))

    assert said.exit_code == 3
    assert f"{begun.file}: limits.connections: Input should be a valid integer" in said.output


def test_a_map_that_is_not_there_is_named_by_the_file_that_wants_it(begun: Begun) -> None:
    said = begun.wrong(lambda written: written.update(dataset="datasets/none.yaml"))

    assert said.exit_code == 3
    assert said.output.startswith(f"{begun.file}: dataset: ")


def test_an_unknown_key_of_the_map_is_named_by_its_place(begun: Begun) -> None:
    said = begun.wrong(lambda written: last_field(written).update(data_category="x"), in_map=True)

    assert said.exit_code == 3
    assert "datasets/mine.yaml: collections." in said.output
    assert "unknown key 'data_category'; did you mean data_categories?" in said.output


def test_a_reference_to_nowhere_is_named_by_its_place(begun: Begun) -> None:
    def lead_nowhere(written: Written) -> None:
        field = next(each for each in written["collections"][0]["fields"] if "fields" not in each)
        to = [{"dataset": written["fides_key"], "field": "nope.id"}]
        field.setdefault("fides_meta", {}).update(references=to)

    said = begun.wrong(lead_nowhere, in_map=True)

    assert said.exit_code == 3
    assert "refers to nope.id, which the map lacks; " in said.output


def test_a_secret_that_is_missing_is_named_by_its_place(begun: Begun) -> None:
    said = begun.typed("check")

    if begun.kind == "manual":
        assert "settings.instructions: say in a sentence where a person has to look" in said.output
    else:
        assert f"the secret file {begun.home}/secrets/mine." in said.output
    assert said.exit_code == 3


AWAY = {
    "sql": ("postgresql://role:{hush}@{at}/shop", "the database cannot be reached: {why}"),
    "http": ("https://{at}", "the system cannot be reached: {why}"),
    "mongodb": ("mongodb://role:{hush}@{at}/shop", "MongoDB cannot be reached: {why}"),
    "search": ("https://{at}", "the store cannot be reached: {why}"),
    "redis": ("redis://role:{hush}@{at}/0", "Redis cannot be reached: {why}"),
    "opendsr": ("https://{at}/v2", "the system cannot be reached: {why}"),
    "email": ("smtps://role:{hush}@{at}", "the mail server cannot be reached: {why}"),
    "objects": ("s3://bucket/lists", "the store cannot be reached: {why}"),
    "delta": ("s3://bucket/lake", "the store cannot be reached: {why}"),
}


@pytest.mark.parametrize("kind", AWAY)
@pytest.mark.parametrize(
    ("at", "why"),
    [
        ("127.0.0.1:1", "nothing listens at its host and port"),
        ("nowhere.invalid:99", "the name of its host is not known here"),
    ],
)
def test_a_system_that_is_away_says_why_and_neither_its_address_nor_a_secret(
    kind: str, at: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin(kind, tmp_path, monkeypatch)
    address, said = AWAY[kind]
    rest = ("token", "api_key", "user", "password", "certificate", "access_key", "secret_key")
    begun.told(url=address.format(at=at, hush=HUSH), **dict.fromkeys(rest, HUSH))

    answer = begun.wrong(lambda written: reached_at(written, at))

    assert answer.exit_code == 3
    assert answer.output.startswith("mine: cannot be used\n")
    assert said.format(why=why) in answer.output
    assert HUSH not in answer.output
    assert at not in answer.output


def reached_at(written: Written, at: str) -> None:
    """Not waited for long; and a bucket's store is named by a setting."""
    written["limits"] = {"connect_seconds": 0.5}
    if written["kind"] in {"objects", "delta"}:
        written["settings"]["endpoint"] = f"https://{at}"
        keys = ("access_key", "secret_key")
        written["secrets"] = {name: {"file": f"secrets/mine.{name}"} for name in keys}


@pytest.mark.parametrize("kind", ["objects", "delta", "files"])
def test_a_folder_that_is_not_there_is_said(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin(kind, tmp_path, monkeypatch)
    begun.told(url=str(tmp_path / "nowhere"))

    answer = begun.typed("check")

    assert answer.exit_code == 3
    assert answer.output == "mine: cannot be used\n  the folder that the secret names is not there\n"


def test_a_mail_servers_password_with_a_slash_in_it_is_asked_for_as_it_must_be_written_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin("email", tmp_path, monkeypatch)
    begun.told(url=f"smtps://us:{HUSH}/more@mail.example.com")

    answer = begun.typed("check")

    assert answer.exit_code == 3
    assert "the address cannot be read: write what is none of" in answer.output
    assert HUSH not in answer.output


@pytest.mark.parametrize("kind", ["redis", "mongodb"])
@pytest.mark.parametrize("address", [f"nonsense-{HUSH}", "{kind}://host:" + HUSH])
def test_a_secret_that_holds_no_address_is_told_what_one_looks_like(
    kind: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin(kind, tmp_path, monkeypatch)
    begun.told(url=address.format(kind=kind))

    answer = begun.typed("check")

    assert answer.exit_code == 3
    assert "the secret holds no address" in answer.output
    assert "such as" in answer.output
    assert HUSH not in answer.output


@pytest.mark.parametrize("kind", ["http", "objects", "delta", "search", "opendsr", "webhook", "email"])
@pytest.mark.parametrize("address", ["https://[{hush}", "s3://[{hush}/below", "smtps://[{hush}"])
def test_an_address_with_a_broken_host_is_a_secret_to_be_mended_and_no_failure_of_the_check(
    kind: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin(kind, tmp_path, monkeypatch)
    begun.told(url=address.format(hush=HUSH), **SIGNING.get(kind, {}))

    answer = begun.typed("check")

    assert answer.exit_code == 3
    assert "address" in answer.output
    assert "failed by itself" not in answer.output
    assert HUSH not in answer.output


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://hooks.example.com/privacy", "the address must be https://, for it is told who people are"),
        ("hooks.example.com/privacy", "the address must be https://, for it is told who people are"),
        ("https:///privacy", "the address cannot be read; write https://HOST/PATH"),
    ],
)
def test_a_webhook_that_nothing_may_be_sent_to_is_found_by_the_check(
    address: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin("webhook", tmp_path, monkeypatch)
    begun.told(url=address, **SIGNING["webhook"])

    answer = begun.typed("check")

    assert (answer.exit_code, answer.output) == (3, f"mine: cannot be used\n  {said}\n")


def test_a_system_whose_people_cannot_be_listed_is_not_replayable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin("files", tmp_path, monkeypatch)
    begun.told(url=str(tmp_path))

    answer = begun.restored()

    assert answer.exit_code == 3
    assert answer.stderr == "mine is not replayable: its people cannot be listed. Delete again by hand.\n"


def test_a_system_to_be_replayed_that_its_kind_cannot_use_is_told_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin("sql", tmp_path, monkeypatch)
    begun.wrong(lambda written: written.update(settings={"bogus": "x"}))

    answer = begun.restored()

    assert answer.exit_code == 3
    assert "mine" in answer.stderr
    assert "settings.bogus" in answer.stderr
