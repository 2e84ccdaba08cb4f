"""A system that only people reach: every task is theirs, and what they hand over is exported by the map's rules."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from services.fulfillment.adapters.manual import open_adapter
from services.fulfillment.datamap.folder import load_systems
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.ports import Adapter, Export, Frozen, NeedsPerson, Subject, Unknown
from tests.support.manual import WORDS, cabinet

CUT_OFF = datetime(2026, 3, 1, tzinfo=UTC)
ADA = Subject({"email": "ada.canary@example.com"})


KINDS = ("files", "manual", "objects", "opendsr", "webhook")


async def asked(adapter: Adapter) -> str:
    """The reference under which a copy is to be handed over."""
    answer = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(answer, NeedsPerson), answer
    return answer.reason.rpartition(" ")[2]


def hand_over(home: Path, reference: str, copy: Any) -> Path:
    file = home / "copies" / f"{reference}.json"
    file.write_text(json.dumps(copy))
    return file


async def test_every_task_is_a_person_s(tmp_path: Path) -> None:
    adapter = open_adapter(cabinet(tmp_path, folder=False))

    answer = await adapter.find(ADA, cut_off=CUT_OFF)

    assert answer == NeedsPerson("manual", WORDS)
    assert isinstance(await adapter.prove("delete", Frozen({}), cut_off=CUT_OFF), Unknown)
    assert (await adapter.check()).ok


async def test_the_reference_is_the_same_again_and_tells_nobody(tmp_path: Path) -> None:
    adapter = open_adapter(cabinet(tmp_path))

    first, second = await asked(adapter), await asked(adapter)

    assert first == second
    assert len(first) == 20
    assert await asked(open_adapter(cabinet(tmp_path, folder=True))) == first


async def test_a_copy_that_was_handed_over_is_exported_by_the_map_s_rules(tmp_path: Path) -> None:
    adapter = open_adapter(cabinet(tmp_path))
    rows = [{"day": "2026-01-05", "note": "brakes", "licence": "7ABC123"}, {"day": "2026-02-01"}]
    hand_over(tmp_path, await asked(adapter), {"repairs": rows})

    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    export = await adapter.export(Frozen.from_json(frozen.to_json()), cut_off=CUT_OFF)

    assert isinstance(export, Export)
    (data,) = export.datasets
    assert [row["note"] for row in data.rows] == ["brakes", None]
    assert [(each.column, each.count) for each in data.withheld] == [("licence", 1)]
    assert "7ABC123" not in str([row for data in export.datasets for row in data.rows])
    assert {each.category for each in export.categories} >= {"identifiers"}


async def test_nothing_found_is_said_by_an_empty_copy(tmp_path: Path) -> None:
    adapter = open_adapter(cabinet(tmp_path))
    hand_over(tmp_path, await asked(adapter), {})

    frozen = await adapter.find(ADA, cut_off=CUT_OFF)

    assert isinstance(frozen, Frozen)
    assert frozen.is_empty


async def test_a_deletion_stays_a_person_s_after_a_copy_was_handed_over(tmp_path: Path) -> None:
    adapter = open_adapter(cabinet(tmp_path))
    hand_over(tmp_path, await asked(adapter), {"repairs": [{"day": "2026-01-05"}]})
    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)

    outcome = await adapter.act("delete", frozen, cut_off=CUT_OFF, idempotency_key="key")

    assert outcome == NeedsPerson("manual", WORDS)


@pytest.mark.parametrize(
    "copy", [["rows"], {"repairs": "none"}, {"repairs": ["x"]}, {"repairs": [{"colour": 1}]}, {"sales": []}]
)
async def test_a_copy_that_is_not_as_the_map_says_is_refused(tmp_path: Path, copy: object) -> None:
    adapter = open_adapter(cabinet(tmp_path))
    hand_over(tmp_path, await asked(adapter), copy)

    answer = await adapter.find(ADA, cut_off=CUT_OFF)

    assert isinstance(answer, NeedsPerson)
    assert answer.kind == "schema"


async def test_copies_are_forgotten(tmp_path: Path) -> None:
    adapter = open_adapter(cabinet(tmp_path, keep_days=7))
    file = hand_over(tmp_path, "old", {})
    os.utime(file, (0, 0))

    await asked(adapter)

    assert not file.exists()


async def test_a_folder_that_is_not_there_is_told_at_the_check(tmp_path: Path) -> None:
    system = cabinet(tmp_path)
    (tmp_path / "copies").rmdir()

    report = await open_adapter(system).check()

    assert not report.ok


@pytest.mark.parametrize(
    ("settings", "problem"),
    [({"instruction": "x"}, "settings.instruction: unknown"), ({}, "settings.instructions: say")],
)
def test_a_system_file_that_is_not_understood_is_refused_by_name(
    tmp_path: Path, settings: dict[str, str], problem: str
) -> None:
    system = System(**{**dict(cabinet(tmp_path)), "settings": settings})

    with pytest.raises(MapError, match=problem):
        open_adapter(system)


def test_a_draft_is_a_system_that_can_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABEAS_FULFILLMENT_SYSTEMS", str(tmp_path))

    for kind in KINDS:
        ran = CliRunner().invoke(app, ["systems", "new", kind, f"our-{kind}", "--business", "shop"])
        assert ran.exit_code == 0, ran.output

    loaded = {system.system: system for system in load_systems(tmp_path, home=tmp_path)}
    assert {system.kind for system in loaded.values()} == set(KINDS)
    plan = CliRunner().invoke(app, ["systems", "plan"]).output
    assert plan.count("Nothing is searched there: the system is told (delete)") == 3
    assert plan.count("A person does all of this") == plan.count("Look into files") == 1
    assert loaded["our-manual"].datamap.key == "our_manual"


def lose_the_key(system: System) -> None:
    assert system.hash_key is not None
    assert system.hash_key.file is not None
    system.hash_key.file.unlink()


async def test_a_key_that_went_after_the_copy_was_found_is_a_person_s_to_bring_back(tmp_path: Path) -> None:
    system = cabinet(tmp_path)
    adapter = open_adapter(system)
    hand_over(tmp_path, await asked(adapter), {"repairs": [{"day": "2026-01-05"}]})
    frozen = await adapter.find(ADA, cut_off=CUT_OFF)
    assert isinstance(frozen, Frozen)
    lose_the_key(system)

    export = await adapter.export(frozen, cut_off=CUT_OFF)

    assert isinstance(export, NeedsPerson)
    assert export.kind == "credentials"
