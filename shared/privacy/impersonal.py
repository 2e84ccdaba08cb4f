"""What people type beside a decision travels in clear and is kept for years: it may name nobody."""

from typing import Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from shared.privacy.redaction import looks_personal


def impersonal(text: str) -> str:
    """The text, unless it holds what looks like somebody's address or number."""
    if looks_personal(text):
        raise PydanticCustomError(
            "personal",
            "holds what looks like an e-mail address or a telephone number; "
            "it is kept for years and read by others, so say it without",
        )
    return text


IMPERSONAL: Final = AfterValidator(impersonal)
