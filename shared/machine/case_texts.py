"""Cases between their text and their value: what this process read or wrote a moment ago is not parsed again.

A case is frozen and is found by its whole text, so neither what another process wrote since nor a transaction that
was rolled back can be taken for it. That a written case and its text say the same is what the simulation looks at.
"""

from collections import OrderedDict
from typing import Any, Final, Generic
from uuid import UUID

from shared.machine.decision import C, Case

# A burst's requests in flight; some ten kilobytes each.
MOST_KEPT: Final = 2_000


class CaseTexts(Generic[C]):
    """The cases of one service, as they are read and written by one process."""

    def __init__(self, case_type: type[C], most: int = MOST_KEPT) -> None:
        self._case_type = case_type
        self._most = most
        self._known: OrderedDict[UUID, tuple[str, C]] = OrderedDict()

    def read(self, request_id: UUID, text: str) -> C:
        """The case that a text says."""
        known = self._known.get(request_id)
        if known is not None and known[0] == text:
            return known[1]
        return self._kept(request_id, text, self._case_type.model_validate_json(text))

    def write(self, request_id: UUID, case: C) -> str:
        """The text of a case."""
        text = case.model_dump_json(exclude_defaults=True)
        self._kept(request_id, text, case)
        return text

    def _kept(self, request_id: UUID, text: str, case: C) -> C:
        self._known[request_id] = (text, case)
        self._known.move_to_end(request_id)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return case


_OF: dict[type[Case], CaseTexts[Any]] = {}


def texts_of(case_type: type[C]) -> CaseTexts[C]:
    """The one of this kind of case, whoever asks: the shell writes what a task's permission reads."""
    found = _OF.get(case_type)
    if found is None:
        found = _OF[case_type] = CaseTexts(case_type)
    return found
