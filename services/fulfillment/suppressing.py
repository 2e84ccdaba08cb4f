"""The suppress task: the keyed hashes of everything that a person is known by; the values themselves end here."""

from collections.abc import Iterable, Iterator
from typing import Protocol
from uuid import UUID

from services.fulfillment import results
from services.fulfillment.domain.aftercare import SUPPRESS
from services.fulfillment.ports import NeedsPerson, Subject
from services.fulfillment.subjects import Subjects
from shared.keyfiles import KeyFiles
from shared.privacy.suppression import suppression_hash
from shared.tasks.work import Answer, Calling, Claimed, Finished

MOST_HASHES = 100
"""Far more than anybody is known by."""


class ReadsHashes(Protocol):
    """What the suppress task of a request found."""

    async def hashes_of(self, request_id: UUID, key: str) -> tuple[str, ...]:
        """The hashes that a task of this key stated; none where it did not run."""
        ...


class SuppressHandler:
    """States whom a request suppresses, or releases again."""

    def __init__(self, subjects: Subjects, hashes: ReadsHashes, keys: KeyFiles) -> None:
        self._subjects = subjects
        self._hashes = hashes
        self._keys = keys

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Hash under the newest version of the key; what is released is what was stated then."""
        del calling
        said = {name: task.body.get(name) for name in ("business", "right", "cut_off", "ask_again_from")}
        if task.key != SUPPRESS:
            stated = await self._hashes.hashes_of(task.request_id, SUPPRESS)
            return Finished("done", {**said, "hashes": stated, "lift": True})
        wanted = await self._subjects.wanted(task.request_id, proved=task.body["proved"])
        if isinstance(wanted, NeedsPerson):
            return results.not_yet(wanted)
        hashes = sorted(set(self._of(task.body["business"], wanted.subjects)))
        return Finished("done", {**said, "hashes": hashes[:MOST_HASHES], "lift": False})

    def _of(self, business: str, subjects: Iterable[Subject]) -> Iterator[str]:
        keyring = self._keys.lookup()
        for subject in subjects:
            for kind, value in subject.seeds.items():
                found = suppression_hash(keyring, business, kind, value)
                if found is not None:
                    yield found
