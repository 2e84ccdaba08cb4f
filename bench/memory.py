"""What one process holds: the most that it had since the last look, and what is really in use when nothing runs."""

import gc
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

_MB = 2**20


@dataclass(frozen=True, slots=True)
class Held:
    """`peak_mb` and `resident_mb` are the system's word; Arrow's bytes and Python's blocks are what is in use."""

    peak_mb: float
    resident_mb: float
    arrow_mb: float
    python_blocks: int


def begin() -> None:
    """From now on the peak is counted anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def held() -> dict[str, float]:
    """Since `begin`; what only waits for the collector is collected first, and is none of it."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    stated = {line[0]: int(line[1]) / 1024 for line in lines if line[-1] == "kB"}
    gc.collect()
    arrow = pa.default_memory_pool().bytes_allocated() / _MB
    return asdict(
        Held(
            round(stated["VmHWM:"], 1), round(stated["VmRSS:"], 1), round(arrow, 1), sys.getallocatedblocks()
        )
    )
