"""The mail catcher as a piece of the stack: started as a process of its own, on a free port."""

import os
import sys
from pathlib import Path

import deploy
from deploy.local import probes
from deploy.local.pieces import Server, log_of
from deploy.local.processes import Spawned, spawn
from deploy.local.state import State


def server(state: State) -> Server:
    """The mail catcher on the port that the state names."""
    port = state.ports["mail"]
    return Server(
        name="mail",
        title="The mail catcher",
        log=log_of(state.home, "mail"),
        launch=lambda: _launch(state.home, port),
        ready=lambda: probes.smtp_answers(port),
    )


def _launch(home: Path, port: int) -> Spawned:
    source = str(Path(deploy.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "deploy.local.mail", "--port", str(port), "--folder", str(home / "mail")]
    return spawn(command, log=log_of(home, "mail"), env={"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"})
