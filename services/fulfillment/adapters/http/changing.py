"""One change of a connector, for any number of rows: request by request, each answer counted, jobs collected."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.fulfillment.adapters.http.client import Answer
from services.fulfillment.adapters.http.connector import Change, Results
from services.fulfillment.adapters.http.failures import NOT_JSON, Failure
from services.fulfillment.adapters.http.paths import path
from services.fulfillment.adapters.http.requests import prepared
from services.fulfillment.adapters.http.tables import Table
from services.fulfillment.ports import Job, Key
from shared.canonical import canonical_json, sha256_hex
from shared.clock import Clock

ACT_SECONDS = 20.0
"""An act begins no request after this: the rest is another attempt's, well inside the lease."""

PARTLY = timedelta(seconds=1)


class NotAll(Exception):
    """The time for one attempt is used up; what was done is counted, the rest is for the next."""


@dataclass
class Effects:
    """What one act has brought about so far; `sent` is true once anything may have been done.

    `unseen` is true once a system that cannot be read said that a row is not there.
    """

    clock: Clock
    idempotency_key: str
    done: dict[str, int] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    look_again: float = 60.0
    sent: bool = False
    unseen: bool = False
    until: float = 0.0

    def __post_init__(self) -> None:
        self.until = asyncio.get_running_loop().time() + ACT_SECONDS

    def count(self, table: str, number: int) -> None:
        self.done[table] = self.done.get(table, 0) + number

    def spend(self) -> None:
        """Raise NotAll where no request may begin any more."""
        if asyncio.get_running_loop().time() >= self.until:
            raise NotAll


class Changing:
    """One change, bound to one collection."""

    def __init__(self, table: Table, verb: str, change: Change) -> None:
        self._table = table
        self._where = f"{table.name}.{verb}"
        self._change = change
        statuses = change.statuses
        self._requests = [
            prepared(request, self._where, changes=True, statuses=statuses)
            for request in (change.request, *change.then)
        ]
        self._done = path(change.done) if change.done else None
        self._job = path(change.job.id) if change.job else None

    async def run(self, keys: Sequence[Key], effects: Effects, **variables: Any) -> None:
        """Do it to these rows, in the order given.

        Raises:
            Failure: a request did not go well; `effects` says whether anything may have been done.
            NotAll: there are more rows than one attempt has time for.
        """
        width = self._change.many
        for start in range(0, len(keys), width):
            effects.spend()
            await self._chunk(keys[start : start + width], effects, variables)

    async def _chunk(self, keys: Sequence[Key], effects: Effects, variables: Mapping[str, Any]) -> None:
        named = self._table.named(keys[0]) if self._change.many == 1 else {"ids": [key[0] for key in keys]}
        filled = {"settings": self._table.reach.settings, **named, **variables}
        filled["idempotency_key"] = self._key(keys, effects, variables)
        answer = None
        for request in self._requests:
            effects.sent = effects.sent or answer is not None
            answer = await self._sent(request, filled, effects)
        if answer is not None:
            self._judge(answer, keys, effects)

    async def _sent(self, request: Any, filled: Mapping[str, Any], effects: Effects) -> Answer | None:
        """The answer, or None where the row was gone already: another had deleted it, or an earlier attempt."""
        client = self._table.reach.client
        try:
            answer = await client.call(request, filled, idempotency_key=filled["idempotency_key"])
        except Failure as failure:
            if failure.meaning == "absent" and self._is_about_rows:
                effects.unseen = effects.unseen or not self._table.readable
                return None
            effects.sent = effects.sent or failure.meaning == "unknown"
            raise
        if not answer.readable and _is_page(answer):
            raise Failure("schema", f"{self._where}: {NOT_JSON}")
        return answer

    @property
    def _is_about_rows(self) -> bool:
        """Whether 404 can mean that a row is gone: the address of a request about many rows is none of a row."""
        return self._change.many == 1 or "absent" in self._change.statuses.values()

    def _judge(self, answer: Answer, keys: Sequence[Key], effects: Effects) -> None:
        if self._done is not None and not self._done(answer.data):
            raise Failure("schema", f"{self._where}: the answer does not say that it was done")
        if self._change.results is not None:
            self._each(answer.data, keys, effects, self._change.results)
            return
        if self._job is not None and self._change.job is not None:
            self._ordered(self._job(answer.data), effects, self._change.job.look_again_seconds)
        effects.count(self._table.name, len(keys))
        effects.sent = True

    def _ordered(self, job: Any, effects: Effects, look_again: float) -> None:
        if not isinstance(job, int | str) or job == "":
            raise Failure("schema", f"{self._where}: the answer names no job")
        effects.jobs.append(Job(f"{self._where}:{job}", effects.clock.now()))
        effects.look_again = look_again

    def _each(self, data: Any, keys: Sequence[Key], effects: Effects, results: Results) -> None:
        """A batch is not one thing: what was done is counted, and what was refused is said by number."""
        said = path(results.rows)(data)
        if not isinstance(said, list):
            raise Failure("schema", f"{self._where}: the answer has no results where the connector says")
        done, absent = _verdicts(said, keys, results)
        effects.count(self._table.name, len(done))
        effects.sent = effects.sent or bool(done)
        refused = len(keys) - len(done) - len(absent)
        if refused:
            raise Failure("refused", f"{self._where}: {refused} of {len(keys)} were refused")

    def _key(self, keys: Sequence[Key], effects: Effects, variables: Mapping[str, Any]) -> str:
        """One key for each request, the same at every attempt to do the same to the same rows.

        A vendor refuses a key under which it was told something else before.
        """
        changes = {name: str(value) for name, value in variables.get("changes", {}).items()}
        bound: list[Any] = [effects.idempotency_key, self._where, [list(key) for key in keys], changes]
        return sha256_hex(canonical_json(bound))


def _verdicts(said: list[Any], keys: Sequence[Key], results: Results) -> tuple[set[str], set[str]]:
    """The ids that the answer calls done, and those that it calls absent."""
    ok, absent = path(results.ok), path(results.absent) if results.absent else None
    name = path(results.id) if results.id else None
    wanted = [str(key[0]) for key in keys]
    named = [str(name(each)) for each in said] if name else wanted
    verdicts = [(own, each) for own, each in zip(named, said, strict=False) if own in wanted]
    done = {own for own, each in verdicts if ok(each)}
    return done, {own for own, each in verdicts if absent and absent(each)} - done


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "")
