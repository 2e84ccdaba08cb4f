"""A list handed over in a folder: a file for each order, and the other side's word beside it when it is done."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

from services.fulfillment.adapters.files.orders import content
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import SecretMissingError, System
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Capabilities,
    CheckReport,
    Frozen,
    Gone,
    Job,
    NeedsPerson,
    Outcome,
    Proof,
    Retry,
    StillPresent,
    Unknown,
)
from services.fulfillment.told.adapter import Telling
from services.fulfillment.told.subjects import identifiers, order_id, problems_of
from shared.clock import Clock, SystemClock
from shared.private_files import write_private

__all__ = ["FilesAdapter", "open_adapter"]

PATIENCE_DAYS = 14
AGAIN = timedelta(hours=1)


def open_adapter(system: System, clock: Clock | None = None) -> Adapter:
    """Make the adapter of one system.

    Raises:
        MapError: the system file cannot be used; every problem is named.
    """
    problems = problems_of(system, settings=frozenset({"patience_days"}), secrets=frozenset())
    if problems:
        raise MapError(problems)
    return FilesAdapter(system, clock or SystemClock())


def days_of_patience(system: System) -> int:
    """How long nobody need say anything."""
    return int(system.settings.get("patience_days", PATIENCE_DAYS))


class FilesAdapter(Telling):
    """One folder. `ORDER.json` is ours, and goes once `ORDER.done`, the other side's word, is there."""

    capabilities = Capabilities(
        idempotency_key=True, verify=True, naturally_idempotent=True, bounded_by_cutoff=False
    )

    async def check(self) -> CheckReport:
        try:
            there = await asyncio.to_thread(self._folder().is_dir)
        except SecretMissingError as missing:
            return CheckReport(reachable=True, credentials=False, notes=(str(missing),))
        notes = () if there else ("the folder that the secret names is not there",)
        return CheckReport(reachable=there, credentials=True, notes=notes)

    async def act(self, right: str, frozen: Frozen, *, cut_off: datetime, idempotency_key: str) -> Outcome:
        if answer := self.idle(right, frozen):
            return answer
        order = order_id(right, frozen, cut_off)
        said = content(str(order), right, identifiers(frozen), cut_off.isoformat())
        try:
            await asyncio.to_thread(
                self._hand_over, str(order), json.dumps(said, ensure_ascii=False).encode()
            )
        except SecretMissingError as missing:
            return NeedsPerson("credentials", str(missing))
        except OSError as error:
            return Retry(self.retry_after, f"the folder cannot be written ({type(error).__name__})")
        return Ambiguous("it was handed over", (Job(str(order), self.clock.now()),), AGAIN)

    async def prove(self, right: str, frozen: Frozen, *, cut_off: datetime) -> Proof:
        order = str(order_id(right, frozen, cut_off))
        try:
            since, done = await asyncio.to_thread(self._look, order)
        except SecretMissingError as missing:
            return Unknown(str(missing))
        except OSError as error:
            return Unknown(f"the folder cannot be read ({type(error).__name__})")
        if done:
            return Gone({name: len(keys) for name, keys in frozen.rows.items()})
        if since is None:
            return StillPresent(len(identifiers(frozen)))
        return self._waiting(self.clock.now().timestamp() - since)

    def _waiting(self, seconds: float) -> Unknown:
        days = days_of_patience(self.system)
        if seconds > timedelta(days=days).total_seconds():
            return Unknown(f"nobody said in {days} days that it is done")
        return Unknown("nobody has said yet that it is done", look_again=AGAIN)

    def _folder(self) -> Path:
        return Path(self.system.address())

    def _hand_over(self, order: str, content: bytes) -> None:
        folder = self._folder()
        if not folder.is_dir():  # one that is away is not made anew
            raise FileNotFoundError
        if not (folder / f"{order}.done").exists():
            write_private(folder / f"{order}.json", content, mode=0o640)

    def _look(self, order: str) -> tuple[float | None, bool]:
        """Since when our file is there, and whether their word is; then nobody's name stays there."""
        ours, theirs = self._folder() / f"{order}.json", self._folder() / f"{order}.done"
        if theirs.exists():
            ours.unlink(missing_ok=True)
            return None, True
        return (ours.stat().st_mtime if ours.exists() else None), False
