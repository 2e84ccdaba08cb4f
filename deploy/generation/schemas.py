"""JSON Schemas: one file for each event and command, and those of the policy files."""

import json
from inspect import cleandoc
from pathlib import Path

from deploy.generation.contracts import DIALECT, declarations, json_schema
from shared.events.vendors import Letter
from shared.policy import schema as policy

FOLDER = Path("deploy/schemas")


def render() -> dict[Path, str]:
    """Every schema by its path."""
    bodies = {
        FOLDER / f"{one.ce_type}.json": json.dumps(json_schema(one), indent=2, ensure_ascii=False) + "\n"
        for one in declarations()
    }
    return {
        **bodies,
        FOLDER / "letter.schema.json": _letter(),
        FOLDER / "policy.schema.json": policy.render(),
        FOLDER / "state.schema.json": policy.render_state(),
        FOLDER / "calendar.schema.json": policy.render_calendar(),
    }


def _letter() -> str:
    """What a vendor reads inside of a directive's letter."""
    schema = {"$schema": DIALECT, "$id": "urn:habeas:schema:letter", **Letter.model_json_schema()}
    return (
        json.dumps({**schema, "description": cleandoc(Letter.__doc__ or "")}, indent=2, ensure_ascii=False)
        + "\n"
    )
