"""Apache Kafka in KRaft mode: one node, or three that copy each other, started from the locked jars."""

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path

from deploy.local import probes
from deploy.local.errors import StackError, disk_full
from deploy.local.kafka_settings import LOGGING, Node, properties
from deploy.local.pieces import Server, log_of
from deploy.local.places import own_folder
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Spawned, run, spawn
from deploy.local.state import State

HEAP = ("-Xms64m", "-Xmx256m", "-XX:MaxDirectMemorySize=64m")
QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.awt.headless=true")


@dataclass(frozen=True)
class Programs:
    """What runs the broker: a java program and the folder of proved jars."""

    java: Path
    jars: Path

    def command(self, *flags: str) -> list[str]:
        return [str(self.java), *QUICK, *flags, "-cp", f"{self.jars}/*"]


def names(brokers: int) -> list[str]:
    return ["kafka"] if brokers == 1 else [f"kafka-{number}" for number in range(1, brokers + 1)]


def port_names(brokers: int, *, proxied: bool) -> list[str]:
    kinds = ("", " controller", " proxy") if proxied else ("", " controller")
    return [name + kind for name in names(brokers) for kind in kinds]


def bootstrap(state: State) -> str:
    return ",".join(f"{LOOPBACK}:{state.ports[name]}" for name in names(state.brokers))


def new_cluster() -> str:
    """A cluster id as Kafka wants it: 16 bytes in 22 URL-safe characters, not beginning with a dash."""
    return "H" + base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")[1:]


def servers(state: State, programs: Programs | None) -> list[Server]:
    """One per node, on the ports that the state names; without programs when all of them run already."""
    nodes = tuple(_node(state, number, name) for number, name in enumerate(names(state.brokers), start=1))
    return [_server(state, programs, node, nodes) for node in nodes]


def _node(state: State, number: int, name: str) -> Node:
    proxied = state.proxy_port is not None
    return Node(
        number=number,
        client=state.ports[name],
        controller=state.ports[f"{name} controller"],
        proxy=state.ports[f"{name} proxy"] if proxied else None,
        proxy_advertised=state.proxy_port + number - 1 if state.proxy_port is not None else None,
        folder=state.home / name,
    )


def _server(state: State, programs: Programs | None, node: Node, nodes: tuple[Node, ...]) -> Server:
    name = node.folder.name
    log = log_of(state.home, name)
    return Server(
        name=name,
        title="Kafka" if len(nodes) == 1 else f"Kafka broker {node.number}",
        log=log,
        launch=lambda: _launch(programs, node, properties(node, nodes), state.cluster),
        ready=lambda: probes.kafka_answers(node.client, len(nodes)),
    )


def _launch(programs: Programs | None, node: Node, text: str, cluster: str) -> Spawned:
    if programs is None:
        raise StackError("Kafka ended while it was looked at; run `habeas stack up` again.")
    own_folder(node.folder, 0o700)
    temporary = own_folder(node.folder / "tmp", 0o700)
    settings, logging = node.folder / "server.properties", node.folder / "log4j2.xml"
    settings.write_text(text)
    logging.write_text(LOGGING)
    for left in temporary.iterdir():
        left.unlink()
    if not (node.folder / "data" / "meta.properties").exists():
        _format(programs, settings, cluster)
    log = log_of(node.folder.parent, node.folder.name)
    flags = [f"-Dlog4j2.configurationFile={logging}", f"-Dhabeas.log={log}", f"-Djava.io.tmpdir={temporary}"]
    crash = f"-XX:ErrorFile={log.with_suffix('.crash')}"
    command = programs.command(*HEAP, "-XX:+ExitOnOutOfMemoryError", crash, *flags)
    return spawn([*command, "kafka.Kafka", settings], log=log, folder=node.folder)


def _format(programs: Programs, settings: Path, cluster: str) -> None:
    command = programs.command("-Xmx64m", "-Dlog4j2.level=ERROR")
    arguments = ["format", "--cluster-id", cluster, "--config", str(settings), "--ignore-formatted"]
    done = run([*command, "kafka.tools.StorageTool", *arguments], timeout=120, folder=settings.parent)
    if done.returncode == 0:
        return
    said = done.stderr.strip() or done.stdout.strip() or "nothing"
    if "No space left on device" in said:
        raise disk_full(settings.parent)
    raise StackError(f"Kafka could not make its data folder {settings.parent}: {said.splitlines()[0]}")
