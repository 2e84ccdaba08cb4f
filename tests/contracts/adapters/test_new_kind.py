"""`habeas systems new --new-kind`: the adapter and the tests from which a new kind of system starts."""

import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from deploy.cli import system_new
from deploy.cli.main import app
from services.fulfillment import adapters

KIND = "card_index"
WRITTEN = (
    "code/services/fulfillment/adapters/card_index/__init__.py",
    "code/tests/contracts/card_index/test_card_index.py",
    "systems/datasets/old-cards.yaml",
    "systems/old-cards.yaml",
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of nothing but its folders, and a folder of systems."""
    (tmp_path / "code" / "tests" / "contracts").mkdir(parents=True)
    monkeypatch.setattr(system_new, "_SOURCE", tmp_path / "code")
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path / "systems"))
    return tmp_path


def new(*words: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["systems", "new", *words])
    return answer.exit_code, answer.output


def loaded(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_a_new_kind_begins_with_an_adapter_whose_own_tests_pass(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = new(KIND, "old-cards", "--business", "shop", "--new-kind")

    assert code == 0, said
    assert all(str(checkout / place) in said for place in WRITTEN)
    here = str(checkout / "code" / "services" / "fulfillment" / "adapters")
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, here])
    tests = loaded(checkout / WRITTEN[1])
    found = [one for name, one in vars(tests).items() if name.startswith("test_")]
    for one in found:
        if (answer := one()) is not None:
            assert inspect.isawaitable(answer)
            await answer
    assert len(found) == 3
    monkeypatch.delitem(sys.modules, f"services.fulfillment.adapters.{KIND}")


def test_what_is_written_is_as_the_rules_of_the_source_want_it(checkout: Path) -> None:
    new(KIND, "old-cards", "--new-kind")
    files = [str(checkout / place) for place in WRITTEN[:2]]
    ruff, rules = Path(sys.executable).parent / "ruff", Path("pyproject.toml").absolute()

    # Which imports are ours cannot be told in a folder that is no checkout.
    for words in (("check", "--ignore", "S101,INP001,D103,I001"), ("format", "--check")):
        ran = subprocess.run(  # noqa: S603 - our own files
            [ruff, *words, "--no-cache", "--config", rules, *files],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sql", "theirs", "--new-kind"), "sql is there already"),
        (("card-index", "theirs", "--new-kind"), "it names a Python package"),
        (("class", "theirs", "--new-kind"), "it names a Python package"),
        (("card_index", "theirs"), "--new-kind begins an adapter"),
        (("card_index", "Theirs", "--new-kind"), "NAME: write it in small letters"),
    ],
)
def test_what_is_no_new_kind_is_said_and_nothing_is_written(
    checkout: Path, words: tuple[str, ...], said: str
) -> None:
    code, answer = new(*words)

    assert code == 2
    assert said in answer
    assert not (checkout / "systems").exists()


def test_an_adapter_that_is_there_is_never_overwritten(checkout: Path) -> None:
    new(KIND, "old-cards", "--new-kind")
    (checkout / WRITTEN[0]).write_text("mine")

    code, answer = new(KIND, "other-cards", "--new-kind")

    assert code == 2
    assert "is there already" in answer
    assert (checkout / WRITTEN[0]).read_text() == "mine"
