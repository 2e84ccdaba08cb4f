"""JSON Schemas of the policy files, so that an editor helps whoever writes one; generated, never edited."""

import json
from typing import Final

from pydantic import BaseModel

from shared.policy.holidays import CalendarTable
from shared.policy.rules import RegimeRules

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def render() -> str:
    """Give deploy/schemas/policy.schema.json: the shape of a regime."""
    return _render(RegimeRules)


def render_calendar() -> str:
    """Give deploy/schemas/calendar.schema.json: the shape of a place's holiday tables."""
    return _render(CalendarTable)


def _render(model: type[BaseModel]) -> str:
    schema = {"$schema": DIALECT} | model.model_json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
