"""The servers of the embedded stack as targets: ended as in a power cut, and started again on the same ports."""

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deploy.local import stack
from deploy.local.stack import StackInfo
from deploy.local.state import load


def end_at_once(found: StackInfo, *names: str) -> None:
    """Kill -9 of brokers; for PostgreSQL its own `immediate` shutdown, which is as sudden."""
    processes = load(found.home).processes
    for name in names:
        os.kill(processes[name].pid, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)


@contextmanager
def frozen(found: StackInfo, name: str) -> Iterator[None]:
    """A server that hangs: its connections stand, and nothing comes back."""
    pid = load(found.home).processes[name].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def start_again(found: StackInfo) -> None:
    """Whatever of the stack does not run; returns when it answers."""
    proxy = load(found.home).proxy_port
    await asyncio.to_thread(stack.up, found.home, kafka_proxy_port=proxy)


def brokers(found: StackInfo) -> Sequence[str]:
    """The names of the stack's broker processes."""
    return [name for name in load(found.home).processes if name.startswith("kafka")]
