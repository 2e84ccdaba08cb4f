"""How one identifier may be written in a system, and what a column's name says about what it holds."""

import hashlib
import re

from services.fulfillment.datamap.additions import Match

PERSONAL_NAME = re.compile(
    r"e_?mail|phone|mobile|(first|last|full|sur|family|given|middle)_?name|street|postal|zip|birth|ssn|social_sec"
    r"|passport|licen[sc]e|ip_addr|device_id|iban|card_num|latitude|gender|ethnic|salary",
    re.IGNORECASE,
)
"""Columns of such a name hold something personal, whatever the map says or leaves out."""

_US_NUMBER = 11


def telephone_spellings(seed: str) -> list[str]:
    """The digits of a number; a North American one is written with and without its 1."""
    digits = _digits(seed)
    short = digits[1:] if len(digits) == _US_NUMBER and digits.startswith("1") else digits
    return sorted({digits, short, f"1{short}"} if len(short) == _US_NUMBER - 1 else {digits})


def sought(seed: str, match: Match) -> str:
    """The identifier as a system is asked for it."""
    match match:
        case "lower":
            return seed.strip().lower()
        case "digits":
            return _digits(seed)
        case "sha256":
            return hashlib.sha256(seed.strip().lower().encode()).hexdigest()
    return seed


def is_spelling_of(value: object, seed: str, match: Match) -> bool:
    """Whether a value that a system gave is this identifier, compared as the map says."""
    if value is None:
        return False
    if match == "digits":
        return _digits(str(value)) in telephone_spellings(seed)
    written = str(value) if match == "exact" else str(value).strip().lower()
    return written == sought(seed, match)


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
