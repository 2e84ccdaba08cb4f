"""Whether a case says what its text says: what was written a moment ago is not parsed again in production."""

from collections.abc import Mapping
from typing import Final

from services.deadline.domain import DeadlineCase
from services.fulfillment.domain import FulfillmentCase
from services.intake.domain import IntakeCase
from services.verification.domain import VerificationCase
from shared.machine.case_texts import texts_of
from shared.machine.decision import Case
from shared.machine.ports import CaseRow
from tests.support.sameness import is_same

CASES: Final[Mapping[str, type[Case]]] = {
    "intake": IntakeCase,
    "verification": VerificationCase,
    "fulfillment": FulfillmentCase,
    "deadline": DeadlineCase,
}


def says_its_text(service: str, row: CaseRow) -> bool:
    """Whether the case that the shell goes on with is the one that another process would read."""
    if row.body is None:
        return True
    kind = CASES[service]
    return is_same(texts_of(kind).read(row.request_id, row.body), kind.model_validate_json(row.body))
