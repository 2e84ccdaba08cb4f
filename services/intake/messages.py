"""What the front desk says to itself: inputs over HTTP, on their way through the shell like everything else.

They are not declared: they never travel. Their repr shows nothing, since they hold a person's words.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from services.intake.submission import Submission
from shared.events.message import Event

HTTP = "habeas/intake/http"


class SubmitRequest(Event):
    """Somebody asks over HTTP for a right."""

    submission: Submission = Field(repr=False)


class WithdrawRequest(Event):
    """Somebody who holds the request's secret takes it back."""


class SendCollectingCode(Event):
    """Somebody who holds the request's secret wants to collect the answer and be sent a code for it."""

    code_hash: str
    sealed: str = Field(repr=False)


class ConfirmCollecting(Event):
    """They confirm with that code, or by being signed in to the account of the request."""

    code_hashes: tuple[str, ...] = ()
    by_account: bool = False
    link_hash: str


class UseLink(Event):
    """Somebody opens the link."""

    link_hash: str


class PresentProof(Event):
    """Somebody who holds the request's secret gives the code that they were sent, or an account assertion."""

    code: Annotated[str, StringConstraints(max_length=64)] | None = Field(default=None, repr=False)
    assertion: Annotated[str, StringConstraints(max_length=16_000)] | None = Field(default=None, repr=False)
