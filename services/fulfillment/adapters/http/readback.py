"""Prove: ask again, apart from the act, whether the frozen rows are as the right demands."""

from datetime import datetime, timedelta

from services.fulfillment.adapters.http.client import Client
from services.fulfillment.adapters.http.connector import JobSpec
from services.fulfillment.adapters.http.failures import Failure
from services.fulfillment.adapters.http.paths import path
from services.fulfillment.adapters.http.requests import prepared
from services.fulfillment.adapters.http.tables import Table, Tables
from services.fulfillment.datamap.flags import FLAG_RIGHTS
from services.fulfillment.ports import Frozen, Gone, Job, Proof, StillPresent, Unknown
from services.fulfillment.rowwise.correcting import in_dispute, proof_of
from services.fulfillment.rowwise.treating import concerned_keys, concerns, never_done, pending


async def read_back(tables: Tables, right: str, frozen: Frozen, cut_off: datetime) -> tuple[Proof, bool]:
    """Count what should be gone, replaced or flagged and is not; and whether anything was said to be absent.

    Raises:
        Failure: the system could not be asked.
    """
    if right == "correct":
        return await _corrected(tables, frozen, cut_off)
    if right != "delete" and right not in FLAG_RIGHTS:
        return never_done(right, frozen), False
    names = [
        name for name in sorted({*frozen.rows, *frozen.shared}) if concerns(tables[name].collection, right)
    ]
    concerned = {name: concerned_keys(frozen, name, right) for name in names}
    held = await tables.held(concerned, cut_off)
    left = sum(
        pending(tables[name].collection, right, row) for name, rows in held.items() for row in rows.values()
    )
    absent = any(len(held[name]) < len(keys) for name, keys in concerned.items())
    checked = {name: len(keys) for name, keys in concerned.items()}
    return (StillPresent(left) if left else Gone(checked)), absent


async def _corrected(tables: Tables, frozen: Frozen, cut_off: datetime) -> tuple[Proof, bool]:
    own = in_dispute(tables.datamap, frozen)
    held = await tables.held(own, cut_off)
    absent = any(len(held[name]) < len(keys) for name, keys in own.items())
    return proof_of(tables.datamap, frozen, held), absent


class Jobs:
    """What the system has taken on: still at work, done, or failed; `forgotten` if it knows nothing of one."""

    def __init__(self, tables: Tables, client: Client) -> None:
        self._tables = tables
        self._client = client
        self.forgotten = False

    async def proof(self, jobs: tuple[Job, ...], now: datetime) -> Unknown | StillPresent | None:
        """Unknown while one is at work, StillPresent where one failed, None where all are done or forgotten.

        Raises:
            Failure: the system could not be asked.
        """
        failed: list[Job] = []
        for job in jobs:
            where, _, name = job.id.partition(":")
            table, _, verb = where.partition(".")
            spec = self._spec(table, verb)
            state = await self._state(spec, where, name, self._tables[table]) if spec else None
            if spec is None or state is None or state in spec.done:
                continue
            if state not in spec.failed:
                return _at_work(spec, where, now - job.since)
            failed.append(job)
        # One that failed and was ordered again has failed no more.
        return StillPresent(1) if any(not _ordered_again(job, jobs) for job in failed) else None

    def _spec(self, table: str, verb: str) -> JobSpec | None:
        spec = self._tables[table].spec
        # A flag that has no request of its own is set by `update`, and so are its jobs.
        change = getattr(spec, verb, None) or (spec.update if verb in FLAG_RIGHTS else None)
        return change.job if change is not None else None

    async def _state(self, spec: JobSpec, where: str, name: str, table: Table) -> str | None:
        request = prepared(spec.poll, f"{where}.job")
        try:
            answer = await self._client.call(request, {"job": name, "settings": table.reach.settings})
        except Failure as failure:
            if failure.meaning == "absent":
                self.forgotten = True
                return None
            raise
        state = path(spec.state)(answer.data)
        if not answer.readable or state is None:
            raise Failure("schema", f"{where}.job: the answer has no state where the connector says")
        return str(state)


def _ordered_again(failed: Job, jobs: tuple[Job, ...]) -> bool:
    where = failed.id.partition(":")[0]
    return any(job.since > failed.since and job.id.partition(":")[0] == where for job in jobs)


def _at_work(spec: JobSpec, where: str, since: timedelta) -> Unknown:
    if since > timedelta(hours=spec.patience_hours):
        return Unknown(f"{where}: the system is at work on it for longer than it ever should")
    again = timedelta(seconds=spec.look_again_seconds)
    return Unknown(f"{where}: the system is at work on it", look_again=again)
