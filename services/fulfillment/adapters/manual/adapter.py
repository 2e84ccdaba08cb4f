"""Every task becomes a person's; a copy that a person hands over is exported as if a system had given it.

A deletion, an opt-out and a limit are ended by the signed command `CompleteTask`, whose evidence is the receipt. A
request to know needs what was found: the person puts it under the task's reference, and lets the task run again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from services.fulfillment.adapters.manual.handed import Handed
from services.fulfillment.datamap.categories import categories_held
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.datamap.unknown import unknown_names
from services.fulfillment.ports import (
    Adapter,
    Capabilities,
    CheckReport,
    Export,
    Frozen,
    NeedsPerson,
    Outcome,
    Proof,
    Retry,
    Subject,
    TakesRows,
    Unknown,
)
from services.fulfillment.rowwise.exporting import exported
from services.fulfillment.rowwise.rows import RowFailure
from shared.clock import Clock, SystemClock

EXPECTED = (RowFailure, SecretMissingError)
SETTINGS = frozenset({"instructions", "keep_days"})
KEEP_DAYS = 30
UNSAID = "settings.instructions: say in a sentence where a person has to look, and for what"


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system.

    Raises:
        MapError: the system file says something that is not understood.
    """
    problems = list(unknown_names(system, settings=SETTINGS))
    if "instructions" not in system.settings:
        problems.append(UNSAID)
    if system.url is not None and system.hash_key is None:
        problems.append("hash_key: a folder for copies needs one, so that a reference tells nobody's name")
    if problems:
        raise MapError(tuple(f"{system.system}: {problem}" for problem in problems))
    return ManualAdapter(system, clock or SystemClock())


class ManualAdapter:
    """One place that only people reach."""

    capabilities = Capabilities(
        idempotency_key=False, verify=False, naturally_idempotent=True, bounded_by_cutoff=False
    )

    def __init__(self, system: System, clock: Clock) -> None:
        self._system = system
        self._clock = clock

    async def check(self) -> CheckReport:
        try:
            handed = self._handed()
        except EXPECTED as error:
            return CheckReport(reachable=True, credentials=False, notes=(str(error),))
        if str(self._settings["instructions"]).strip() in {"", "?"}:
            return CheckReport(reachable=True, credentials=False, notes=(UNSAID,))
        there = handed is None or handed.is_there()
        notes = () if there else ("the folder for copies is not there",)
        return CheckReport(reachable=there, credentials=True, notes=notes)

    async def find(self, subject: Subject, *, cut_off: datetime) -> Frozen | Retry | NeedsPerson:
        """A person looks; what they handed over for this subject is found."""
        try:
            handed = self._handed()
            if handed is None:
                return self._ask()
            handed.forget(self._clock.now() - timedelta(days=self._keep_days))
            reference = handed.reference(subject)
            rows = handed.rows(reference)
        except EXPECTED as error:
            return _theirs(error)
        if rows is None:
            return self._ask(f"; for a copy, the reference is {reference}")
        return Frozen({name: ((reference,),) for name, each in rows.items() if each})

    async def export(
        self,
        frozen: Frozen,
        *,
        cut_off: datetime,
        since: datetime | None = None,
        specific: bool = True,
        taking: TakesRows | None = None,
    ) -> Export | Retry | NeedsPerson:
        categories = categories_held(self._system.datamap, frozen)
        if not specific:
            return Export(self._system.system, (), categories)
        try:
            handed = self._handed()
            if handed is None:
                return self._ask()
            references = sorted({str(key[0]) for keys in frozen.rows.values() for key in keys})
            datasets = tuple(
                data for each in references for data in exported(handed, handed.held(each), since)
            )
        except EXPECTED as error:
            return _theirs(error)
        return Export(self._system.system, datasets, categories)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        return self._ask()

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        return Unknown("a person's word is the only proof here")

    async def close(self) -> None:
        """Nothing is held."""

    def _ask(self, more: str = "") -> NeedsPerson:
        return NeedsPerson("manual", f"{self._settings['instructions']}{more}")

    def _handed(self) -> Handed | None:
        if self._system.url is None or self._system.hash_key is None:
            return None
        return Handed(self._system.address(), self._system.hash_key.read(), self._system.datamap)

    @property
    def _settings(self) -> Mapping[str, str | int | bool]:
        return self._system.settings

    @property
    def _keep_days(self) -> int:
        return int(self._settings.get("keep_days", KEEP_DAYS))


def _theirs(error: RowFailure | SecretMissingError) -> NeedsPerson:
    if isinstance(error, RowFailure):
        return NeedsPerson(error.meaning, error.reason)
    return NeedsPerson("credentials", str(error))
