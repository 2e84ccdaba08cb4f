"""The act task: find, freeze, commit the intent, call, prove. What may have been done is proved before it is repeated.

A destructive call is bound to the ids that `find` returned and to the cut-off; both stay the same for every
attempt after the first call, and so does the idempotency key.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.fulfillment import results
from services.fulfillment.connected import Connected, Systems
from services.fulfillment.domain.finishing import UNPROVED
from services.fulfillment.domain.planning import DESTRUCTIVE
from services.fulfillment.earlier import Earlier, Forgotten
from services.fulfillment.finding import find
from services.fulfillment.freezing import Freezing, KeepsPieces, PieceMissingError
from services.fulfillment.holding import Known
from services.fulfillment.lanes import ATTEMPT
from services.fulfillment.ports import (
    Adapter,
    Ambiguous,
    Capabilities,
    Done,
    Frozen,
    Gone,
    NeedsPerson,
    Nothing,
    Outcome,
    Receipt,
    Retry,
    StillPresent,
)
from services.fulfillment.progress import timed
from services.fulfillment.subjects import Subjects, Wanted
from shared.canonical import canonical_json, sha256_hex
from shared.clock import Clock
from shared.policy.rights import Right
from shared.tasks.work import Again, Answer, Calling, Claimed, Finished
from shared.vault.vault import Vault

ADAPTER_SECONDS = 40
"""Without getting further; shorter than the runner's own limit, which is half a lease."""

MOST_PROOFS = 12
SOON = timedelta(seconds=1)


def idempotency_key(request_id: UUID, system: str, right: str, digest: str) -> str:
    """The same for every attempt at the same rows, which the digest stands for, and for no other."""
    return sha256_hex(canonical_json([str(request_id), system, right, digest]))


@dataclass(frozen=True, slots=True)
class _Attempt:
    task: Claimed
    calling: Calling
    system: Connected
    right: str
    cut_off: datetime
    # Whom it is about, once that was opened: it is asked for again when the call is about to be made.
    opened: list[Wanted] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a call is bound to, and the attempt that called first: proofs are counted from there."""

    frozen: Frozen
    called_in: int


class ActHandler:
    """Deletes, de-identifies, corrects, opts out or limits in one system."""

    def __init__(  # noqa: PLR0913 - one for each thing that an act needs
        self,
        systems: Systems,
        subjects: Subjects,
        vault: Vault,
        clock: Clock,
        *,
        earlier: Earlier | None = None,
        known: Known | None = None,
        pieces: KeepsPieces | None = None,
    ) -> None:
        self._earlier = earlier
        self._known = known
        self._systems = systems
        self._subjects = subjects
        self._freezing = Freezing(vault, pieces)
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Do it once, or settle what an earlier attempt may have done."""
        system = self._systems.get(task.body["system"])
        if system is None:
            return results.person("schema", "the system is not connected any more")
        ATTEMPT.set(task.task_id)
        cut_off = datetime.fromisoformat(task.body["cut_off"])
        async with timed(task, ADAPTER_SECONDS) as within:
            attempt = _Attempt(within, calling, system, task.body["right"], cut_off)
            if task.frozen is None:
                return await self._first(attempt)
            try:
                return await self._resume(attempt)
            except PieceMissingError:
                return results.person(
                    UNPROVED, "it may have been done, and what it was bound to is not all there"
                )

    async def _first(self, attempt: _Attempt) -> Answer:
        """Also after a restore that lost the ids: then only what is still there can be found, and is."""
        task, adapter = attempt.task, attempt.system.adapter
        found = await self._found(attempt, adapter)
        if isinstance(found, Forgotten):
            return Finished("canceled", {"reason": "forgotten"})
        if not isinstance(found, Frozen):
            return results.not_yet(found)
        if found.is_empty:
            return results.nothing(attempt.system.entry.name)
        rows = _Rows(_disputed(found, attempt), task.attempts)
        return await self._act(attempt, rows, await self._bound(attempt, rows))

    async def _found(self, attempt: _Attempt, adapter: Adapter) -> Frozen | Retry | NeedsPerson | Forgotten:
        """What to act on: whatever is held, or for what came back the rows of then."""
        if self._earlier is not None and "earlier" in attempt.task.body:
            return await self._earlier.rows(attempt.task, adapter)
        wanted = await self._wanted(attempt)
        return wanted if isinstance(wanted, NeedsPerson) else await find(adapter, wanted, attempt.cut_off)

    async def _wanted(self, attempt: _Attempt) -> Wanted | NeedsPerson:
        task = attempt.task
        if not attempt.opened:
            wanted = await self._subjects.wanted(task.request_id, proved=task.body["proved"])
            if isinstance(wanted, NeedsPerson):
                return wanted
            attempt.opened.append(wanted)
        return attempt.opened[0]

    async def _resume(self, attempt: _Attempt) -> Answer:
        """Prove first; what is still there is asked for again, with the same ids under the same key."""
        rows = await self._rows(attempt.task)
        again = {"idempotency_key": attempt.task.idempotency_key}
        if not attempt.system.adapter.capabilities.verify:
            if attempt.task.settle and not _repeatable(attempt.system.adapter.capabilities):
                return results.person(UNPROVED, "it may have been done, and cannot be read back or repeated")
            return await self._act(attempt, rows, again)
        proof = await attempt.system.adapter.prove(attempt.right, rows.frozen, cut_off=attempt.cut_off)
        match proof:
            case Gone():
                return results.done(self._proved(attempt, rows.frozen))
            case StillPresent():
                return await self._act(attempt, rows, again)
        if proof.look_again is not None:
            return Again(proof.look_again, proof.reason, ambiguous=attempt.task.settle)
        return self._unproved(attempt, rows, proof.reason, ambiguous=attempt.task.settle)

    async def _act(self, attempt: _Attempt, rows: _Rows, bound: dict[str, Any]) -> Answer:
        if not await attempt.calling(**bound, about=await self._about(attempt)):
            # Withdrawn, on hold or closed: the next claim asks the rules again and hears which.
            return Again(SOON, "not permitted now")
        key = str(bound["idempotency_key"])
        outcome = await attempt.system.adapter.act(
            attempt.right, rows.frozen, cut_off=attempt.cut_off, idempotency_key=key
        )
        return await self._after(attempt, rows, outcome)

    async def _about(self, attempt: _Attempt) -> tuple[str, ...]:
        """Whom a destruction is about, as a hold names them."""
        if self._known is None or attempt.right not in DESTRUCTIVE:
            return ()
        wanted = await self._wanted(attempt)
        if isinstance(wanted, NeedsPerson):
            return ()
        return self._known.hashes(attempt.system.entry.business, wanted.subjects)

    async def _after(self, attempt: _Attempt, rows: _Rows, outcome: Outcome) -> Answer:
        match outcome:
            case Done(receipt):
                return await self._done(attempt, rows, receipt)
            case Nothing():
                return results.nothing(attempt.system.entry.name)
            case Ambiguous():
                return await self._open(attempt, rows, outcome)
            case Retry() | NeedsPerson():
                return results.not_yet(outcome)

    async def _done(self, attempt: _Attempt, rows: _Rows, receipt: Receipt) -> Answer:
        """A system's word is read back, where it can be."""
        adapter = attempt.system.adapter
        if adapter.capabilities.verify:
            proof = await adapter.prove(attempt.right, rows.frozen, cut_off=attempt.cut_off)
            if not isinstance(proof, Gone):
                return self._unproved(attempt, rows, "done, but not yet seen when read back", ambiguous=True)
        if attempt.task.frozen is not None and not adapter.capabilities.does_wholly(rows.frozen):
            # An earlier attempt may have done a part, which this one's receipt does not count.
            return results.done(self._proved(attempt, rows.frozen))
        return results.done(results.with_backups(receipt, attempt.system.backup_days))

    async def _open(self, attempt: _Attempt, rows: _Rows, outcome: Ambiguous) -> Answer:
        """Jobs are stored beside the ids before anything else, so that no later attempt orders them again."""
        if outcome.jobs:
            frozen = replace(rows.frozen, jobs=(*rows.frozen.jobs, *outcome.jobs))
            bound = await self._bound(attempt, _Rows(frozen, rows.called_in))
            await attempt.calling(frozen=bound["frozen"], frozen_id=bound["frozen_id"])
        if outcome.look_again is not None:
            return Again(outcome.look_again, outcome.reason, ambiguous=True)
        return self._unproved(attempt, rows, outcome.reason, ambiguous=True)

    def _unproved(self, attempt: _Attempt, rows: _Rows, reason: str, *, ambiguous: bool) -> Answer:
        """Look again later; what cannot be proved for hours is for a person."""
        proofs = attempt.task.attempts - rows.called_in + 1
        if ambiguous and proofs >= MOST_PROOFS:
            return results.person(UNPROVED, reason)
        return Again(results.backoff(proofs), reason, ambiguous=ambiguous)

    async def _bound(self, attempt: _Attempt, rows: _Rows) -> dict[str, Any]:
        request_id, name = attempt.task.request_id, attempt.system.entry.name
        bound = await self._freezing.freeze(request_id, rows.frozen, rows.called_in)
        # What came back is another order, also to a system that remembers the first one by its key.
        right = attempt.task.key if "earlier" in attempt.task.body else attempt.right
        return {
            "frozen": bound.sealed,
            "frozen_id": bound.frozen_id,
            "idempotency_key": idempotency_key(request_id, name, right, bound.digest),
        }

    async def _rows(self, task: Claimed) -> _Rows:
        assert task.frozen is not None and task.frozen_id is not None  # noqa: S101, PT018 - stored together
        return _Rows(*await self._freezing.thaw(task.request_id, task.frozen_id, task.frozen))

    def _proved(self, attempt: _Attempt, frozen: Frozen) -> Receipt:
        times = (self._clock.now(), attempt.cut_off)
        name, datamap = attempt.system.entry.name, attempt.system.datamap
        receipt = results.receipt_by_read_back(name, datamap, attempt.right, frozen, times)
        return results.with_backups(receipt, attempt.system.backup_days)


def _disputed(found: Frozen, attempt: _Attempt) -> Frozen:
    """A correction is bound to what the request says is wrong, too."""
    if attempt.right != Right.CORRECT or not attempt.opened:
        return found
    return replace(found, corrections=attempt.opened[0].corrections)


def _repeatable(capabilities: Capabilities) -> bool:
    return capabilities.idempotency_key or capabilities.naturally_idempotent
