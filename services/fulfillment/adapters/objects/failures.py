"""What goes wrong between us and files: told by kind, and never by a file's name or content."""

from datetime import timedelta
from typing import Literal

from services.fulfillment.ports import NeedsPerson, Retry
from services.fulfillment.rowwise.rows import RowFailure

Meaning = Literal["away", "busy", "moved", "credentials", "schema", "refused", "unbounded"]


class Failure(Exception):
    """An expected end of a look at files; `moved` means that one was replaced under our eyes."""

    def __init__(self, meaning: Meaning, reason: str) -> None:
        super().__init__(reason)
        self.meaning: Meaning = meaning
        self.reason = reason

    def outcome(self, retry_after: timedelta) -> Retry | NeedsPerson:
        """The answer where nothing was done."""
        match self.meaning:
            case "away" | "busy" | "moved":
                return Retry(retry_after, self.reason)
        return NeedsPerson(self.meaning, self.reason)


def failure_of(error: Exception) -> Failure:
    """What one of the expected errors means here."""
    if isinstance(error, RowFailure):
        return Failure(error.meaning, error.reason)
    return error if isinstance(error, Failure) else Failure("credentials", str(error))
