"""The shape of what a channel hands in, checked strictly: unknown fields and wrong types are refused.

Nothing here repeats an input: a problem names a known field and what to do.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from services.intake.submission import Problem
from shared.events.intake import Channel, Requester
from shared.policy import Right, UnknownRightError, parse_right
from shared.policy.rights import ALIASES
from shared.privacy import InvalidIdentifier, normalise_email, normalise_phone
from shared.privacy.claims import Correction, Language

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
JWT: Final = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"


def _unusable(remedy: str) -> PydanticCustomError:
    return PydanticCustomError("unusable", "{remedy}", {"remedy": remedy})


def _right(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_right(value)
    except UnknownRightError as error:
        raise PydanticCustomError("unknown_right", "{remedy}", {"remedy": str(error)}) from None


def _email(text: str) -> str:
    try:
        return normalise_email(text)
    except InvalidIdentifier as error:
        raise _unusable(error.remedy) from None


def _phone(text: str) -> str:
    try:
        return normalise_phone(text)
    except InvalidIdentifier as error:
        raise _unusable(error.remedy) from None


def _several(value: Any) -> Any:
    """JSON has lists, where a strict model wants what nobody can change."""
    return tuple(value) if isinstance(value, list) else value


def _one_line(text: str) -> str:
    """Composed characters and single spaces; no control characters, which could forge a line somewhere."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    if not plain or _CONTROL.search(plain):
        raise _unusable("give it as one line of text")
    return plain


def _text(longest: int) -> StringConstraints:
    return StringConstraints(min_length=1, max_length=longest)


# Inline in the schema, so that the published description needs no definitions beside it.
_RIGHT_SCHEMA: Final = WithJsonSchema({"type": "string", "enum": [*Right, *ALIASES]})


class Application(BaseModel):
    """A request as a person or a system hands it in."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    right: Annotated[Right, BeforeValidator(_right), _RIGHT_SCHEMA] = Field(
        description="What is asked; know and access mean know_specific."
    )
    residency: Annotated[str, _text(20)] = Field(description="Where the person lives, such as US-CA.")
    business: Annotated[str, _text(60)] | None = Field(
        default=None, description="The business that is asked."
    )
    requester: Requester = Field(default="subject", description="Who asks: the person, or an agent for them.")
    channel: Channel = Field(default="web", description="How the request came in.")
    name: Annotated[str, _text(200), AfterValidator(_one_line)] | None = Field(
        default=None, description="The person's name.", repr=False
    )
    email: Annotated[str, _text(254), AfterValidator(_email)] | None = Field(
        default=None, description="The person's e-mail address: the answer goes there.", repr=False
    )
    phone: Annotated[str, _text(40), AfterValidator(_phone)] | None = Field(
        default=None, description="The person's telephone number.", repr=False
    )
    customer_id: Annotated[str, _text(100), AfterValidator(_one_line)] | None = Field(
        default=None, description="The business's own number for the person.", repr=False
    )
    device_id: Annotated[str, _text(200), AfterValidator(_one_line)] | None = Field(
        default=None,
        description="What the business knows the person's browser or device by, such as the number in its cookie; a"
        " right that needs no proof is carried out for it.",
        repr=False,
    )
    postal_address: (
        Annotated[
            tuple[Annotated[str, _text(100), AfterValidator(_one_line)], ...],
            BeforeValidator(_several),
            Field(min_length=1, max_length=6),
        ]
        | None
    ) = Field(
        default=None,
        description="Where a letter goes, a line each, for who has no e-mail address.",
        repr=False,
    )
    language: Language | None = Field(
        default=None, description="The language to answer in: en, which is the default, or es."
    )
    corrections: Annotated[tuple[Correction, ...], BeforeValidator(_several), Field(max_length=20)] | None = (
        Field(
            default=None,
            description="For correct: what is wrong, what is there now, what it should be, what shows it, and after a"
            " denial a statement.",
            repr=False,
        )
    )
    assertion: Annotated[str, StringConstraints(max_length=16_000, pattern=JWT)] | None = Field(
        default=None, description="A JWT from the business's identity provider: who is signed in.", repr=False
    )
    collected_from: date | None = Field(
        default=None, description="For know: answer for data collected from this day on, 2022-01-01 at first."
    )
    collected_to: date | None = Field(default=None, description="For know: and up to this day.")
    confirmed: bool | None = Field(
        default=None,
        description="For opt_in: true once the person, asked a second time and separately, has confirmed the choice.",
    )
    appeals: UUID | None = Field(
        default=None, description="For appeal: the earlier request whose answer is appealed against."
    )
    again: UUID | None = Field(
        default=None, description="The earlier request, answered by now, that this one follows from."
    )


class UpstreamApplication(Application):
    """A request as an upstream system hands it in: it also says when and how the request reached it."""

    channel: Channel = Field(description="How the request came in.")
    received_at: AwareDatetime = Field(description="When your channel took it in: the clock starts then.")


S = TypeVar("S", bound=BaseModel)


def read_strictly(content: bytes, shape: type[S]) -> S | tuple[Problem, ...]:
    """What was handed in, or everything that is wrong with it."""
    try:
        return shape.model_validate_json(content)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return tuple(_problem(one, tuple(shape.model_fields)) for one in found[:20])


def _problem(error: ErrorDetails, known: Sequence[str]) -> Problem:
    kind = error["type"]
    if kind == "extra_forbidden":
        # The unknown field's name is the sender's words: it is not repeated.
        return Problem("unknown_field", None, f"leave it out; the known fields are {', '.join(known)}")
    if kind == "json_invalid":
        return Problem("not_json", None, "send one JSON object in UTF-8")
    if kind == "model_type":
        return Problem("not_an_object", None, "send one JSON object in UTF-8")
    return _about(error, str(error["loc"][0]) if error["loc"] else None)


def _about(error: ErrorDetails, field: str | None) -> Problem:
    kind = error["type"]
    if kind in {"unusable", "unknown_right"}:
        return Problem(kind, field, str(error["ctx"]["remedy"]))
    if kind == "missing":
        return Problem("missing", field, "give this field")
    return Problem(
        "wrong_type_or_form", field, _REMEDIES.get(kind, "give it in the form that the API describes")
    )


_REMEDIES: Final = {
    "string_type": "give it as text",
    "string_too_short": "give it, or leave the field out",
    "string_too_long": "give a shorter text",
    "string_pattern_mismatch": "give it in the form that the API describes",
    "bool_type": "give true, or leave the field out",
    "enum": "give it as text",
    "literal_error": "give one of the values that the API describes",
    "date_type": "give a day, such as 2024-01-31",
    "date_from_datetime_parsing": "give a day, such as 2024-01-31",
    "date_parsing": "give a day, such as 2024-01-31",
    "datetime_type": "give a time with its offset, such as 2026-01-15T10:00:00-08:00",
    "datetime_parsing": "give a time with its offset, such as 2026-01-15T10:00:00-08:00",
    "datetime_from_date_parsing": "give a time with its offset, such as 2026-01-15T10:00:00-08:00",
    "uuid_type": "give the id as its receipt names it",
    "uuid_parsing": "give the id as its receipt names it",
    "timezone_aware": "give the time with its offset, such as 2026-01-15T10:00:00-08:00",
}
