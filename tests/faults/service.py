"""Runs one service exactly as `habeas serve` does, with shorter leases: a fault test cannot wait 90 s for each death.

With `HABEAS_FAULTS_MUTATION` it has the seeded bug of that name, which a fault test must then find.

python -m tests.faults.service fulfillment
"""

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from deploy.serving import run
from deploy.settings import local_settings
from shared import messaging
from shared.outbox import producer, relay
from shared.tasks import runner, store
from shared.telemetry import health

if TYPE_CHECKING:
    from tests.simulation.scheduler import Scheduler

SHORTER: tuple[tuple[ModuleType, str, float], ...] = (
    (store, "LEASE_SECONDS", 16),
    (runner, "HANDLER_SECONDS", 8.0),
    (relay, "LEASE_SECONDS", 10),
    (relay, "RENEW_SECONDS", 2.0),
    (producer, "SEND_LIMIT_SECONDS", 3.0),
    (producer, "CLOSE_LIMIT_SECONDS", 1.0),
    (health, "STUCK_OUTBOX_SECONDS", 6.0),
    (health, "UNREAD_SECONDS", 12.0),
)
"""The same proportions as in production, where a task is leased for 90 s and a shard for 30 s."""
MUTATION = "HABEAS_FAULTS_MUTATION"
LONGEST_POLL = "HABEAS_FAULTS_MAX_POLL_MS"


def shorten() -> None:
    """Put the shorter times into this process."""
    for module, name, seconds in SHORTER:
        assert hasattr(module, name), f"{module.__name__} has no {name} any more"
        setattr(module, name, seconds)
    if given := os.environ.get(LONGEST_POLL):
        messaging.MAX_POLL_MS = int(given)


def mutate(name: str) -> None:
    """Put a seeded bug into this process, for as long as it lives."""
    from tests.mutations.seeded import SEEDED

    (found,) = [one for one in SEEDED if one.name == name]
    # What replaces a function asks no scheduler: there is none among real processes.
    found.apply(cast("Scheduler", None)).__enter__()


if __name__ == "__main__":
    shorten()
    if bug := os.environ.get(MUTATION):
        mutate(bug)
    sys.exit(run(local_settings(), sys.argv[1]))
