"""How much of the fault tests runs: the gate's subset, or everything."""

import os

FULL = os.environ.get("HABEAS_FAULTS") == "full"
PEOPLE = 6000 if FULL else 800
