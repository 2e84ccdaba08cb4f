"""The dates of one request, as events and cases carry them.

Dates are scheduled on the strictest reading; `legal_latest` is what the law would still accept, kept apart so
that nothing is ever planned on it.
"""

from datetime import date as day_of
from typing import Self

from pydantic import AwareDatetime

from shared.policy.rights import Right
from shared.policy.sourced import Strict


class DueDate(Strict):
    """One date: the day, the first UTC instant that is late, the last day the law accepts, its source."""

    date: day_of
    late_from: AwareDatetime
    legal_latest: day_of
    cite: str


class Clocks(Strict):
    """The dates that one request must keep; a clock that its right does not have is null."""

    right: Right
    received_on: day_of
    acknowledge_by: DueDate | None = None
    respond_by: DueDate | None = None
    extend_to: DueDate | None = None
    effective_by: DueDate | None = None
    verify_by: DueDate | None = None
    policy_version: str

    @property
    def answer_by(self) -> DueDate | None:
        """The date that the request is measured by; None for a right that the law gives no time (opt_in)."""
        return self.respond_by or self.effective_by

    def due(self, *, extended: bool) -> DueDate | None:
        """Give the date of the answer, after a valid extension or without one."""
        return self.extend_to if extended and self.extend_to else self.answer_by

    def to_json(self) -> dict[str, object]:
        """Give plain JSON values, without the clocks that are null."""
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def from_json(cls, value: object) -> Self:
        return cls.model_validate(value)
