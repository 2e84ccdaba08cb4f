"""What is generated is committed, whole and true."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from deploy.generate import ROOT, different, left_over, main, write
from deploy.generation import asyncapi, law, render, system_map
from shared.events.topics import SERVICES, TOPICS
from tests.support.sources import sources

every_view = pytest.mark.parametrize("view", asyncapi.VIEWS, ids=lambda view: view.file)


def test_every_generated_file_is_the_committed_one() -> None:
    files = render(ROOT)

    assert different(files, ROOT) == [], "run `make generate`"
    assert left_over(files, ROOT) == []


def test_a_changed_file_and_a_stray_one_are_found(tmp_path: Path) -> None:
    write(render(ROOT), tmp_path)
    page = Path("docs/reference/topics.md")
    (tmp_path / page).write_text("edited by hand")
    stray = Path("deploy/schemas/dsar.nobody.v1.json")
    (tmp_path / stray).write_text("{}")

    assert different(render(ROOT), tmp_path) == [page]
    assert left_over(render(ROOT), tmp_path) == [stray]


def test_the_check_writes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for page in (system_map, law):
        (tmp_path / page.PAGE).write_text(f"{page.BEGIN}\n{page.END}\n")
    for folder in ("docs/reference", "deploy/schemas"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr("deploy.generate.ROOT", tmp_path)

    assert main(["--check"]) == 1
    assert list((tmp_path / "docs/reference").iterdir()) == []


@every_view
def test_an_asyncapi_document_has_the_shape_of_version_3(view: asyncapi.View) -> None:
    document = asyncapi.document(view)

    ApplicationSchema.model_validate(document)
    assert yaml.safe_load(asyncapi.render(view)) == document


@every_view
def test_every_reference_of_an_asyncapi_document_leads_somewhere(view: asyncapi.View) -> None:
    document = asyncapi.document(view)
    references = [value for value in walk(document, "$ref") if isinstance(value, str)]

    local = [one for one in references if one.startswith("#/")]
    files = [one for one in references if not one.startswith("#/")]

    assert [one for one in local if not resolve(document, one)] == []
    assert [one for one in files if not (ROOT / "deploy/schemas" / one).exists()] == []


def test_every_topic_with_a_contract_is_a_channel_that_its_readers_receive() -> None:
    document = asyncapi.document()

    for topic in TOPICS:
        if topic.kind == "dead-letters":
            assert topic.name not in document["channels"]
            continue
        receivers = {f"{one}.receives.{topic.name}" for one in topic.readers if one in SERVICES}
        assert receivers <= document["operations"].keys()
        assert document["channels"][topic.name]["messages"]


def test_a_vendors_document_holds_what_a_vendor_does_and_nothing_else() -> None:
    document = asyncapi.document(asyncapi.VENDORS)
    channels = document["channels"].values()

    assert {name: one["action"] for name, one in document["operations"].items()} == {
        "vendor.receives.dsar.directives": "receive",
        "vendor.sends.dsar.acknowledgements": "send",
    }
    assert all("{vendor}" in one["address"] and "vendor" in one["parameters"] for one in channels)


def test_every_variable_that_anything_reads_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    named = {name for one in sources("services", "shared", "deploy", "tests") for name in variables(one.text)}

    assert {name for name in named if f"`{name}`" not in page} == set()


def variables(text: str) -> set[str]:
    return {name for name in re.findall(r"HABEAS_[A-Z_]+", text) if not name.endswith("_")}


def walk(node: Any, key: str) -> list[Any]:
    if isinstance(node, dict):
        own = [node[key]] if key in node else []
        return own + [found for value in node.values() for found in walk(value, key)]
    return [found for value in node for found in walk(value, key)] if isinstance(node, list) else []


def resolve(document: Any, reference: str) -> bool:
    for part in reference.removeprefix("#/").split("/"):
        if part not in document:
            return False
        document = document[part]
    return True
