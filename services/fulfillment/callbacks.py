"""What a system that says by itself that something changed has to prove before anybody looks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CallbackRefused:
    """Why a callback is not believed: the HTTP status, a word for programs, a sentence that repeats nothing of it."""

    status: int
    code: str
    detail: str


class ReceivesCallbacks(Protocol):
    """One system's callbacks."""

    def refusal(self, raw: bytes, headers: Mapping[str, str]) -> CallbackRefused | None:
        """Why the bytes as they came are not believed, or None; the headers' names are in small letters."""
        ...
