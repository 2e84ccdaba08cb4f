"""`make simulate`: runs seeds until so many steps were taken, and prints one that failed so that it can be replayed."""

import argparse
import sys
import time
import traceback

from tests.simulation.scheduler import Scheduler

STEPS_OF_A_WORLD = 500


def simulate(seed: int, steps: int) -> tuple[int, int]:
    """Run worlds from `seed` on until `steps` were taken; how many steps and worlds.

    Raises:
        AssertionError: an invariant was broken; the message says how to see it again.
    """
    taken = worlds = 0
    while taken < steps:
        length = min(STEPS_OF_A_WORLD, steps - taken)
        scheduler = Scheduler(str(seed + worlds), length)
        try:
            scheduler.run()
        except Exception as error:
            told = (
                f"{type(error).__name__}: {error}\nreplay: make simulate SEED={seed + worlds} STEPS={length}"
            )
            raise AssertionError(told) from error
        taken, worlds = taken + scheduler.taken, worlds + 1
    return taken, worlds


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10_000)
    arguments = parser.parse_args()
    began = time.perf_counter()
    try:
        taken, worlds = simulate(arguments.seed, arguments.steps)
    except AssertionError:
        traceback.print_exc()
        return 1
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{taken} steps in {worlds} worlds, {taken / seconds:.0f} a second; everything held\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
