"""What a figure must be read with: the machine, the versions, the commit."""

import os
import platform
import subprocess
from pathlib import Path

import asyncpg

from deploy import interpreter

ROOT = Path(__file__).resolve().parent.parent


async def facts(broker: str, admin: asyncpg.Connection) -> dict[str, object]:
    """Everything that must stand beside a figure that is cited."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "python_work_ms": round(min(interpreter.work() for _ in range(9)) / 1e6, 1),
        "postgresql": str(await admin.fetchval("SHOW server_version")),
        "broker": broker,
        "commit": commit(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def commit() -> str:
    """The checkout's commit, and whether tracked files differ from it."""
    here = _git("rev-parse", "--short", "HEAD")
    return f"{here}+changes" if _git("status", "--porcelain", "--untracked-files=no") else here


def _git(*words: str) -> str:
    command = ["git", "-c", f"safe.directory={ROOT}", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed program
    return done.stdout.strip()
