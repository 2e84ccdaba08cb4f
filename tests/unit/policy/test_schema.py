"""The committed schemas are the generated ones, and the policy files satisfy them."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.policy import regime_names, schema
from shared.policy.reading import read_yaml
from shared.policy.regimes import places

SCHEMAS = Path(__file__).parents[3] / "deploy" / "schemas"
POLICY = files("shared.policy")


def _plain(*path: str) -> Any:
    return json.loads(json.dumps(read_yaml(POLICY.joinpath(*path).read_bytes()), default=str))


@pytest.mark.parametrize(
    ("name", "rendered"),
    [
        ("policy.schema.json", schema.render()),
        ("state.schema.json", schema.render_state()),
        ("calendar.schema.json", schema.render_calendar()),
    ],
)
def test_the_committed_schema_is_the_generated_one(name: str, rendered: str) -> None:
    assert (SCHEMAS / name).read_text(encoding="utf-8") == rendered


@pytest.mark.parametrize("name", regime_names())
def test_a_policy_file_satisfies_its_schema(name: str) -> None:
    document = _plain(f"{name}.yaml")
    rendered = schema.render_state() if document.get("shape") else schema.render()

    jsonschema.Draft202012Validator(json.loads(rendered)).validate(document)


@pytest.mark.parametrize("place", places())
def test_a_holiday_table_satisfies_its_schema(place: str) -> None:
    jsonschema.Draft202012Validator(json.loads(schema.render_calendar())).validate(
        _plain("calendars", f"{place}.yaml")
    )


def test_what_a_file_may_leave_out_is_what_all_regimes_have_in_common() -> None:
    assert set(_plain("defaults", "common.yaml")["defaults"]) == schema.COMMON


def test_the_schema_refuses_an_unknown_key() -> None:
    document = _plain("us-ca-ccpa.yaml") | {"mispelt": 1}

    with pytest.raises(jsonschema.ValidationError, match="mispelt"):
        jsonschema.Draft202012Validator(json.loads(schema.render())).validate(document)
