"""The committed schemas are the generated ones, and the policy files satisfy them."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.policy import schema
from shared.policy.reading import read_yaml

SCHEMAS = Path(__file__).parents[3] / "deploy" / "schemas"
POLICY = files("shared.policy")


def _plain(*path: str) -> Any:
    return json.loads(json.dumps(read_yaml(POLICY.joinpath(*path).read_bytes()), default=str))


@pytest.mark.parametrize(
    ("name", "rendered"),
    [
        ("policy.schema.json", schema.render()),
        ("calendar.schema.json", schema.render_calendar()),
    ],
)
def test_the_committed_schema_is_the_generated_one(name: str, rendered: str) -> None:
    assert (SCHEMAS / name).read_text(encoding="utf-8") == rendered


@pytest.mark.parametrize(
    ("path", "rendered"),
    [
        (("us-ca-ccpa.yaml",), schema.render()),
        (("calendars", "us-ca.yaml"), schema.render_calendar()),
    ],
)
def test_a_policy_file_satisfies_its_schema(path: tuple[str, ...], rendered: str) -> None:
    jsonschema.Draft202012Validator(json.loads(rendered)).validate(_plain(*path))


def test_the_schema_refuses_an_unknown_key() -> None:
    document = _plain("us-ca-ccpa.yaml") | {"mispelt": 1}

    with pytest.raises(jsonschema.ValidationError, match="mispelt"):
        jsonschema.Draft202012Validator(json.loads(schema.render())).validate(document)
