"""Made-up identities that occur nowhere else, and every form in which a copy of one could lie somewhere.

A search that finds nothing proves something only if it can find: each form is tried on the search itself.
"""

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, quote_plus

ALGORITHMS = ("md5", "sha1", "sha256", "sha512")
ALIGNMENTS = 3
# Shorter texts have base64 forms that other texts have too.
SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Form:
    """One way in which one canary may be written."""

    label: str
    how: str
    pattern: bytes

    def __str__(self) -> str:
        return f"{self.label} ({self.how})"


@dataclass(frozen=True)
class Canaries:
    """Values by what they are; a search names every value that it finds, and how it was written."""

    values: Mapping[str, str]

    def __post_init__(self) -> None:
        short = [label for label, value in self.values.items() if len(value) < SHORTEST]
        assert not short, f"too short to be told from chance: {short}"

    @cached_property
    def encoded(self) -> tuple[Form, ...]:
        """Every value as it can be read again."""
        return tuple(form for label, value in self.values.items() for form in _encoded(label, value))

    @cached_property
    def hashed(self) -> tuple[Form, ...]:
        """Every value under a hash without a key: who guesses the value has proved it."""
        return tuple(form for label, value in self.values.items() for form in _hashed(label, value))

    def found_in(self, blob: bytes, *, hashes: bool = True) -> list[str]:
        """What of them a blob holds."""
        forms = (*self.encoded, *self.hashed) if hashes else self.encoded
        return sorted({str(form) for form in forms if form.pattern in blob})


def _encoded(label: str, value: str) -> Iterator[Form]:
    for how, text in _spellings(value).items():
        raw = text.encode()
        yield Form(label, how, raw)
        yield Form(label, f"{how}, JSON", json.dumps(text)[1:-1].encode())
        yield Form(label, f"{how}, URL", quote(text, safe="").encode())
        yield Form(label, f"{how}, form", quote_plus(text).encode())
        yield Form(label, f"{how}, hex", raw.hex().encode())
        yield Form(label, f"{how}, HEX", raw.hex().upper().encode())
        yield Form(label, f"{how}, UTF-16", text.encode("utf-16-le"))
        for alignment in range(ALIGNMENTS):
            yield Form(label, f"{how}, base64 at {alignment}", _base64(raw, alignment, b64encode))
            yield Form(label, f"{how}, base64url at {alignment}", _base64(raw, alignment, urlsafe_b64encode))


def _hashed(label: str, value: str) -> Iterator[Form]:
    for how, text in _spellings(value).items():
        for algorithm in ALGORITHMS:
            digest = hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest()
            name = f"{how}, {algorithm}"
            yield Form(label, name, digest)
            yield Form(label, f"{name} hex", digest.hex().encode())
            yield Form(label, f"{name} HEX", digest.hex().upper().encode())
            yield Form(label, f"{name} base64", b64encode(digest).rstrip(b"="))
            yield Form(label, f"{name} base64url", urlsafe_b64encode(digest).rstrip(b"="))


def _spellings(value: str) -> dict[str, str]:
    """As given, in other cases, and a telephone number as people write it; equal ones once."""
    found = {"plain": value, "lower": value.lower(), "upper": value.upper()}
    if value.startswith("+1"):
        digits = value.removeprefix("+1")
        area, exchange, line = digits[:3], digits[3:6], digits[6:]
        found |= {
            "digits": digits,
            "dashes": f"{area}-{exchange}-{line}",
            "dots": f"{area}.{exchange}.{line}",
        }
        found["brackets"] = f"({area}) {exchange}-{line}"
    return {how: text for text, how in {text: how for how, text in found.items()}.items()}


def _base64(raw: bytes, alignment: int, encode: Callable[[bytes], bytes]) -> bytes:
    """The characters that depend on these bytes alone, whatever stands before and behind them."""
    padded = b"\0" * alignment + raw
    usable = len(padded) - len(padded) % 3
    text = encode(padded[:usable])
    return text[-(-alignment * 8 // 6) :]
