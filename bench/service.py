"""Runs one service exactly as `habeas serve` does, with the outside in memory: nothing else is changed.

python -m bench.service fulfillment
"""

import os
import sys
from typing import Any

from bench.instant import MemoryMail, connected
from deploy.serving import production, run
from deploy.settings import local_settings
from services.fulfillment.app import assemble as fulfillment_over
from services.fulfillment.app import build as build_fulfillment
from services.intake.app import assemble as intake_with
from shared.hosting import Build, Resources, ServiceParts

SYSTEMS = ("crm", "billing", "marketing")


async def _intake(resources: Resources) -> ServiceParts[Any]:
    return intake_with(resources, MemoryMail(resources.clock))


async def _fulfillment(resources: Resources) -> ServiceParts[Any]:
    if "HABEAS_FULFILLMENT_SYSTEMS" in os.environ:
        return await build_fulfillment(resources)
    return fulfillment_over(resources, [connected(name, resources.settings.business) for name in SYSTEMS])


IN_MEMORY: dict[str, Build] = {"intake": _intake, "fulfillment": _fulfillment}


def build_of(service: str) -> Build:
    """The bench's builder where the service has an outside, else production's."""
    return IN_MEMORY.get(service) or production(service)


if __name__ == "__main__":
    sys.exit(run(local_settings(), sys.argv[1], build_of))
