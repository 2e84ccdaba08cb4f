"""How often and how long a proof may be tried: house policy within 11 CCR 7060(f)."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """15 guesses at eight digits in all: a chance of one in six million."""

    code_lives: timedelta = timedelta(hours=72)
    attempts: int = 5
    challenges: int = 3
    assertions: int = 5
