"""What `prepare` found in sealed fields: result words and keyed hashes, a code only as a Secret."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from shared.privacy import Secret

ClaimsFault = Literal["claims_unreadable", "no_email"]


@dataclass(frozen=True, slots=True)
class ClaimsFound:
    """The keyed hash of the e-mail address that the requester claims, or why there is none."""

    subject_hash: str | None = None
    fault: ClaimsFault | None = None


class AssertionFound(BaseModel):
    """A checked account assertion: the account's e-mail under every key version, or a refusal's word.

    `fresh` says that the person signed in again just before (11 CCR 7061: re-authentication).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    email_hashes: tuple[str, ...] = ()
    fresh: bool = False
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything found for one message; what the message does not carry is None."""

    claims: ClaimsFound | None = None
    assertion: AssertionFound | None = None
    code: Secret[str] | None = None


NOTHING = Findings()
