"""The second net under 11 CCR 7024(d): values that look like what may never be shown, in columns that may be.

The map says which columns hold such values; people write them into other columns as well. What is found stops the
answer until a person has looked: the place and the kind are told, never the value.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Place = tuple[str, str]
# Most text holds no run of so many digits, and is not looked at any closer.
_DIGITS: Final = re.compile(r"\d(?:[ -]?\d){5}")
# Among digits that mean nothing some add up: one of 3,800 UUIDs looked like a card's number, and one of 550 SHA-256
# digests. Whoever has a hundred of them would wait for a person for no reason.
_BY_MACHINES: Final = re.compile(
    r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|(?=\d*[a-f])[0-9a-f]{32,128})\b",
    re.IGNORECASE,
)
_SSN: Final = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\d-])")
_SSN_NAMED: Final = re.compile(r"\b(?:ssn|social security)\b\D{0,25}(?!000|666|9)\d{9}(?!\d)", re.IGNORECASE)
_CARD: Final = re.compile(r"(?<![\d-])[3-6]\d{3}(?:[ -]?\d){9,15}(?![\d-])")
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_ACCOUNT: Final = re.compile(
    r"\b(?:bank|checking|savings|routing)\b[^\d\n]{0,30}\d{6,17}(?!\d)", re.IGNORECASE
)
_LICENCE: Final = re.compile(
    r"\b(?:driver'?s? licen[cs]e|DL|passport)\b[^\d\n]{0,20}\b[A-Z]{0,2}\d{6,12}\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Net:
    """Looks at the rows of one answer's part; `cleared` columns were looked at by a person before."""

    cleared: Collection[Place] = ()
    found: dict[Place, str] = field(default_factory=dict)

    def look(self, dataset: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Remember the first kind that a column seems to hold."""
        for row in rows:
            for column, value in row.items():
                place = (dataset, column)
                if place in self.cleared or place in self.found:
                    continue
                kind = next((kind for text in _texts(value) if (kind := looks_like(text))), None)
                if kind is not None:
                    self.found[place] = kind

    def told(self) -> str:
        """Where a person has to look."""
        places = "; ".join(f"{name}.{column}: {kind}" for (name, column), kind in sorted(self.found.items()))
        return f"may hold what may never be shown ({places}); set withheld or shown_because in the map"


def looks_like(text: str) -> str | None:
    """The kind of value, in the words of the map, that a text seems to hold."""
    if _DIGITS.search(text) is None:
        return None
    text = _BY_MACHINES.sub(" ", text)
    if _SSN.search(text) or _SSN_NAMED.search(text):
        return "social_security_number"
    if any(_luhn(match[0]) for match in _CARD.finditer(text)):
        return "financial_account_number"
    if _ACCOUNT.search(text) or any(_mod_97(match[0]) for match in _IBAN.finditer(text)):
        return "financial_account_number"
    return "government_id_number" if _LICENCE.search(text) else None


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for each in value.values():
                yield from _texts(each)
        case list() | tuple():
            for each in value:
                yield from _texts(each)


def _luhn(text: str) -> bool:
    """A card's number ends in a check digit (ISO/IEC 7812-1): nine of ten other numbers do not pass."""
    digits = [int(one) for one in text if one.isdigit()]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _mod_97(text: str) -> bool:
    """An international account number leaves one (ISO 13616)."""
    plain = text.replace(" ", "")
    turned = "".join(str(int(one, 36)) for one in plain[4:] + plain[:4])
    return int(turned) % 97 == 1
