"""A random value of the same format: programs that check a value's form go on, and nobody is meant by it.

Nothing of the old value is left but its form: lengths, capitals, digits, and what is neither letter nor digit.
"""

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, Final
from uuid import UUID, uuid4

FIRST_DAY: Final = date(1930, 1, 1)
DAYS: Final = 28_000
SECONDS: Final = 24 * 60 * 60
LIMITS: Final = tuple(2**bits - 1 for bits in (15, 31, 63, 1024))
"""Of columns that hold whole numbers."""


def random_like(value: object) -> Any:
    """Another value of that kind; what has no form to keep becomes nothing."""
    for kind, make in _MAKERS:
        if isinstance(value, kind):
            return make(value)
    return None


def _text(value: str) -> str:
    return "".join(map(_character, value))


def _character(each: str) -> str:
    if each.isdigit():
        return secrets.choice(digits)
    if each.isalpha():
        return secrets.choice(ascii_uppercase if each.isupper() else ascii_lowercase)
    return each


def _number(value: int) -> int:
    """As many digits, and no more than a column holds that held the old one."""
    size = len(str(abs(value)))
    least = 10 ** (size - 1) if size > 1 else 0
    most = min(10**size - 1, *(limit for limit in LIMITS if abs(value) <= limit))
    made = least + secrets.randbelow(most - least + 1)
    return -made if value < 0 else made


def _fraction(value: Decimal) -> Decimal:
    return Decimal(_text(f"{value:f}")) if value.is_finite() else value


def _real(value: float) -> float:
    return float(_fraction(Decimal(str(value))))


def _day(value: date) -> date:
    del value
    return FIRST_DAY + timedelta(days=secrets.randbelow(DAYS))


def _instant(value: datetime) -> datetime:
    day = _day(value.date())
    moment = datetime(day.year, day.month, day.day, tzinfo=value.tzinfo)
    return moment + timedelta(seconds=secrets.randbelow(SECONDS))


# A truth value is a number to Python, and an instant a day: the narrower kind comes first.
_MAKERS: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (bool, lambda _: secrets.choice((False, True))),
    (str, _text),
    (int, _number),
    (Decimal, _fraction),
    (float, _real),
    (datetime, _instant),
    (date, _day),
    (UUID, lambda _: uuid4()),
    (bytes, lambda value: secrets.token_bytes(len(value))),
    (list, lambda value: [random_like(each) for each in value]),
)
