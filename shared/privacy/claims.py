"""What a request's sealed claims say: intake writes them, verification and fulfillment read them."""

from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

Email = Annotated[str, StringConstraints(max_length=254)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Language = Literal["en", "es"]
"""The languages that people are answered in."""

AddressLine = Annotated[str, StringConstraints(min_length=1, max_length=100)]
PostalAddress = Annotated[tuple[AddressLine, ...], Field(min_length=1, max_length=6)]
"""Where a letter goes, a line each, without the name."""

CustomerId = Annotated[str, StringConstraints(min_length=1, max_length=100)]
DeviceId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


MOST_WORDS: Final = 250
"""Of a statement of dispute (11 CCR 7023(f)(3))."""


def _short(text: str) -> str:
    if len(text.split()) > MOST_WORDS:
        remedy = f"give a statement of at most {MOST_WORDS} words on each thing"
        raise PydanticCustomError("unusable", "{remedy}", {"remedy": remedy})
    return text


class Correction(BaseModel):
    """Something that is wrong, and what it should be, in the person's words.

    `is_now` is the disputed value, as far as the person knows it. `evidence` says what shows it. `statement` is what
    the person wants to be kept with what they dispute and others refuse to correct.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    what: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    should_be: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    is_now: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, exclude_if=lambda one: one is None
    )
    evidence: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, exclude_if=lambda one: one is None
    )
    statement: (
        Annotated[str, StringConstraints(min_length=1, max_length=3000), AfterValidator(_short)] | None
    ) = Field(default=None, exclude_if=lambda one: one is None)

    def __repr__(self) -> str:
        return "Correction(hidden)"

    __str__ = __repr__


Corrections = Annotated[tuple[Correction, ...], Field(max_length=20)]


class Claims(BaseModel):
    """The person that a request is about, their language, and for `know` the days that the answer covers.

    Never printed: its repr is empty, and it leaves a process only sealed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    customer_id: CustomerId | None = None
    device_id: DeviceId | None = None
    postal_address: PostalAddress | None = None
    language: Language | None = None
    corrections: Corrections | None = None
    collected_from: date | None = None
    collected_to: date | None = None

    def __repr__(self) -> str:
        return "Claims(hidden)"

    __str__ = __repr__

    def to_bytes(self) -> bytes:
        """The plaintext to seal."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> Self:
        """What was sealed; raises pydantic.ValidationError, which holds no input."""
        return cls.model_validate_json(plaintext)
