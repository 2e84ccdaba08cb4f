"""The four services as four processes of ours: started, watched until ready, and ended by their own ids."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx2

from shared.events.topics import SERVICES

READY_SECONDS = 60.0
STOP_SECONDS = 30.0
SERVE = ("-m", "deploy.cli.main", "serve")


class ServiceFailed(RuntimeError):
    """A service did not come up or went away; the sentence names its log."""


class Services:
    """The service processes of one home; each is Python given `program` and the service's name."""

    def __init__(self, home: Path, environment: Mapping[str, str], program: Sequence[str] = SERVE) -> None:
        self._home = home
        self._program = program
        self._environment = {**os.environ, **environment}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._told_to_end: set[str] = set()

    def start(self, *names: str) -> None:
        """Start services (all four if none is named) and wait until each says that it is ready.

        Raises:
            ServiceFailed: one ended, or was not ready within a minute.
        """
        for name in names or SERVICES:
            self._spawn(name)
        with httpx2.Client(timeout=5) as http:
            for name in names or SERVICES:
                self._wait_ready(name, http)

    def url(self, name: str) -> str:
        """Where a service's HTTP listens."""
        return (self._home / "run" / f"{name}.url").read_text()

    def pid(self, name: str) -> int:
        """The process id of a service."""
        return self._processes[name].pid

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of the four that do not run, or were told to end."""
        running = {name for name, process in self._processes.items() if process.poll() is None}
        return tuple(name for name in SERVICES if name not in running - self._told_to_end)

    def revive(self) -> None:
        """Start those that are missing again; one that is still ending is ended at once."""
        missing = self.missing
        for name in self._processes.keys() & set(missing):
            self.kill(name)
        if missing:
            self.start(*missing)

    def tell_to_end(self, name: str) -> None:
        """Ask a service to end without waiting: from now on `check` does not miss it, until it is started again."""
        self._told_to_end.add(name)
        self._processes[name].send_signal(signal.SIGTERM)

    def kill(self, name: str) -> None:
        """End a service as a power cut would."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def check(self) -> None:
        """Raise ServiceFailed when a service has ended by itself."""
        for name, process in list(self._processes.items()):
            if process.poll() is not None and name not in self._told_to_end:
                raise ServiceFailed(f"{name} ended with code {process.returncode}; see {self._log(name)}")

    def stop(self, *names: str) -> None:
        """Ask services (all if none is named) to end, wait, and end what does not."""
        ending = [self._processes.pop(name) for name in names or tuple(self._processes)]
        for process in ending:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in ending:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log(self, name: str) -> Path:
        return self._home / "logs" / f"{name}.log"

    def _spawn(self, name: str) -> None:
        (self._home / "run" / f"{name}.url").unlink(missing_ok=True)
        self._told_to_end.discard(name)
        self._log(name).parent.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, *self._program, name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches only the demo, which then ends its children in order.
                start_new_session=True,
            )

    def _wait_ready(self, name: str, http: httpx2.Client) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.check()
            if self._is_ready(name, http):
                return
            time.sleep(0.1)
        raise ServiceFailed(f"{name} was not ready within {READY_SECONDS:.0f} s; see {self._log(name)}")

    def _is_ready(self, name: str, http: httpx2.Client) -> bool:
        try:
            return http.get(f"{self.url(name)}/ready").status_code == httpx2.codes.OK
        except (httpx2.HTTPError, OSError):
            return False
