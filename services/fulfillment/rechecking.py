"""The recheck task: looks whether what was deleted is there again. It changes nothing."""

from datetime import datetime

from services.fulfillment import results
from services.fulfillment.acting import ADAPTER_SECONDS
from services.fulfillment.connected import Connected, Systems
from services.fulfillment.earlier import Earlier, Forgotten
from services.fulfillment.ports import Frozen, Gone, StillPresent
from services.fulfillment.progress import timed
from shared.tasks.work import Again, Answer, Calling, Claimed, Finished


class RecheckHandler:
    """Reads back, by the ids of then and by whom they were of, what one system holds now."""

    def __init__(self, systems: Systems, earlier: Earlier) -> None:
        self._systems = systems
        self._earlier = earlier

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Say how many rows are there again."""
        del calling
        system = self._systems.get(task.body["system"])
        if system is None:
            return results.person("schema", "the system is not connected any more")
        async with timed(task, ADAPTER_SECONDS) as within:
            return await self._look(within, system)

    async def _look(self, task: Claimed, system: Connected) -> Answer:
        rows = await self._earlier.rows(task, system.adapter)
        if isinstance(rows, Forgotten):
            return Finished("canceled", {"reason": "forgotten"})
        if not isinstance(rows, Frozen):
            return results.not_yet(rows)
        cut_off = datetime.fromisoformat(task.body["cut_off"])
        proof = await system.adapter.prove(task.body["right"], rows, cut_off=cut_off)
        match proof:
            case Gone():
                return Finished("done", {"left": 0})
            case StillPresent(count):
                return Finished("done", {"left": count})
        return Again(proof.look_again or results.backoff(task.attempts), proof.reason)
