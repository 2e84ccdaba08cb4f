"""JSON Schemas of the policy files, so that an editor helps whoever writes one; generated, never edited."""

import json
from typing import Final

from pydantic import BaseModel

from shared.policy.calendars.holidays import CalendarTable
from shared.policy.rules import RegimeRules
from shared.policy.states import StateLaw

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


# What a regime's file may leave out, for defaults/common.yaml says it.
COMMON: Final = frozenset({"degrees", "verify_by", "warnings", "retention"})


def render() -> str:
    """Give deploy/schemas/policy.schema.json: the shape of a regime."""
    return _render(RegimeRules, optional=COMMON)


def render_state() -> str:
    """Give deploy/schemas/state.schema.json: the shape of the law of an American state."""
    return _render(StateLaw)


def render_calendar() -> str:
    """Give deploy/schemas/calendar.schema.json: the shape of a place's holiday tables."""
    return _render(CalendarTable)


def _render(model: type[BaseModel], *, optional: frozenset[str] = frozenset()) -> str:
    schema = {"$schema": DIALECT} | model.model_json_schema()
    schema["required"] = [name for name in schema["required"] if name not in optional]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
