"""The light broker: the noida-db wheel, for a first look where Kafka's jars cannot be had."""

import os
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from deploy.local import probes
from deploy.local.errors import StackError
from deploy.local.pieces import Server, log_of
from deploy.local.places import own_folder
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Spawned, spawn
from deploy.local.state import State

WARNING = "it loses acknowledged records when it is killed and is for a first look only"


def label() -> str:
    return f"noida-db {metadata.version('noida-db')} (light)"


def bootstrap(state: State) -> str:
    return f"{LOOPBACK}:{state.ports['light']}"


def server(state: State) -> Server:
    """The light broker on the port that the state names."""
    port = state.ports["light"]
    return Server(
        name="light",
        title="The light broker",
        log=log_of(state.home, "light"),
        launch=lambda: _launch(state.home, port),
        ready=lambda: probes.kafka_answers(port),
    )


def _launch(home: Path, port: int) -> Spawned:
    data = own_folder(home / "light", 0o700)
    options = ["--only", "kafka", "--kafka-port", str(port), "--host", LOOPBACK, "--data-dir", str(data)]
    return spawn([*_program(), "start", *options], log=log_of(home, "light"))


def _program() -> list[str]:
    found = find_spec("noida_db")
    if found is None or found.origin is None:
        raise StackError(
            "The light broker's wheel noida-db is not installed; install habeas[stack], "
            "or set HABEAS_KAFKA_BOOTSTRAP to a broker of your own."
        )
    binary = Path(found.origin).with_name("noida-db")
    return [str(binary)] if os.access(binary, os.X_OK) else [sys.executable, "-m", "noida_db.cli"]
