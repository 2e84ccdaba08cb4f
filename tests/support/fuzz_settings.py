"""How often a fuzzed test is tried: the same words each time, unless `HABEAS_FUZZ_EXAMPLES` asks for others."""

import os

from hypothesis import HealthCheck, settings

_ASKED = os.environ.get("HABEAS_FUZZ_EXAMPLES")
MOST_STEPS = 50


def fuzzed(examples: int, *, steps: int = MOST_STEPS) -> settings:
    """So many examples, of so many steps where a test is a course of them."""
    return settings(
        max_examples=int(_ASKED or examples),
        stateful_step_count=steps,
        deadline=None,
        derandomize=_ASKED is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
