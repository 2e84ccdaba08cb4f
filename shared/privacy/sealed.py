"""The type of a field that travels sealed, readable by the shell, the docs and the schemas alike."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints


@dataclass(frozen=True, slots=True)
class SealedField:
    """Marks a pydantic field whose text is authenticated encryption under the request's key."""


# Empty until the shell has sealed it: a decision builds its body before the plaintext is encrypted.
SealedText = Annotated[
    str,
    SealedField(),
    StringConstraints(pattern=r"^[A-Za-z0-9_-]*$", max_length=200_000),
    Field(json_schema_extra={"x-habeas-sealed": True}),
]
