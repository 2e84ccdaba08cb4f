"""The embedded stack for other code: `up`, `down`, `status`, `info` and `reset` over one home folder.

Every home is a stack of its own, with its own ports, data and processes; any number can run on one machine.
"""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.local import brokers as broker_kinds
from deploy.local import databases, mail_server, ports
from deploy.local.brokers import Choice
from deploy.local.errors import PortTakenError, StackError, said_plainly
from deploy.local.pieces import Server, ensure, halt
from deploy.local.places import prepare_home
from deploy.local.postgres_files import remove_data
from deploy.local.probes import listens
from deploy.local.state import State, alone, load

__all__ = [
    "ComponentStatus",
    "StackError",
    "StackInfo",
    "StackStatus",
    "down",
    "info",
    "reset",
    "status",
    "up",
]

Report = Callable[[str], None]


@dataclass(frozen=True)
class StackInfo:
    """Where everything answers."""

    kafka_bootstrap: str
    database_url: str  # the administrator's
    smtp_host: str
    smtp_port: int
    mail_dir: Path
    broker: str  # as people should read it: "apache-kafka 4.1.2", "noida-db 0.2.3 (light)"
    home: Path
    kafka_proxied: tuple[str, ...] = ()  # what a fault proxy connects to, when its port is advertised


@dataclass(frozen=True)
class ComponentStatus:
    name: str
    state: Literal["running", "stopped", "stale"]  # stale: recorded as started, but that process is gone
    pid: int | None
    address: str


@dataclass(frozen=True)
class StackStatus:
    home: Path
    broker: str
    components: tuple[ComponentStatus, ...]

    @property
    def running(self) -> bool:
        return all(component.state == "running" for component in self.components)


def _silent(_sentence: str) -> None: ...


def up(
    home: Path,
    *,
    broker: Choice = "auto",
    brokers: int = 1,
    kafka_proxy_port: int | None = None,
    report: Report = _silent,
) -> StackInfo:
    """Start what does not run yet, wait until everything truly answers, and say where."""
    home = home.absolute()
    with said_plainly(home):
        prepare_home(home)
        with alone(home / "stack.lock", report):
            state = load(home)
            _set_proxy(state, kafka_proxy_port)
            servers = broker_kinds.decide(state, choice=broker, brokers=brokers, report=report)
            databases.check_own()
            _start(state, servers, report)
            return _info(state)


def down(home: Path) -> None:
    """Stop what we started, clients of the disk last, each with a deadline and then by force."""
    home = home.absolute()
    if not (home / "stack.json").exists():
        return
    with said_plainly(home), alone(home / "stack.lock", _silent):
        state = load(home)
        kafka_first = sorted(state.processes, key=lambda name: name == "postgres")
        _halt_all(state, [name for name in kafka_first if name != "postgres"])
        _halt_all(state, [name for name in kafka_first if name == "postgres"])


def status(home: Path) -> StackStatus:
    """What runs and what does not, by process and start time."""
    with said_plainly(home):
        state = load(home.absolute())
    names = ["postgres", *broker_kinds.process_names(state), "mail"]
    components = tuple(_component(state, name) for name in names)
    return StackStatus(state.home, broker_kinds.label(state), components)


def info(home: Path) -> StackInfo:
    """Where a running stack answers; a StackError when it does not run."""
    found = status(home)
    missing = [component.name for component in found.components if component.state != "running"]
    if missing:
        raise StackError(
            f"The stack in {found.home} does not run ({', '.join(missing)}); run `habeas stack up`."
        )
    with said_plainly(home):
        return _info(load(home.absolute()))


def reset(home: Path) -> None:
    """Stop the stack and delete everything that it made, and nothing else."""
    home = home.absolute()
    down(home)
    if not home.exists():
        return
    with said_plainly(home), alone(home / "stack.lock", _silent):
        remove_data(home)
        for folder in (*home.glob("kafka*"), *(home / name for name in ("light", "mail", "logs"))):
            shutil.rmtree(folder, ignore_errors=True)
        for name in ("stack.json", "postgres.password"):
            (home / name).unlink(missing_ok=True)


def _set_proxy(state: State, wanted: int | None) -> None:
    running = any(state.running(name) for name in broker_kinds.process_names(state))
    if running and wanted not in {None, state.proxy_port}:
        raise StackError(
            "The broker runs without that proxy port; run `habeas stack down`, then `habeas stack up`."
        )
    if not running:
        state.proxy_port = wanted


def _start(state: State, servers: Callable[[], Sequence[Server]], report: Report) -> None:
    """A port may be taken between our look and the server's bind; then once more with other ports."""
    try:
        _start_once(state, servers, report)
    except PortTakenError:
        _start_once(state, servers, report)


def _start_once(state: State, brokers: Callable[[], Sequence[Server]], report: Report) -> None:
    _choose_ports(state, report)
    servers = [*databases.servers(state), *brokers(), mail_server.server(state)]
    with ThreadPoolExecutor(len(servers)) as pool:
        started = [(server, pool.submit(ensure, server, state)) for server in servers]
        _wait_for([done for _, done in started], state)
    failures = [failure for _, done in started if (failure := done.exception()) is not None]
    if not failures:
        return
    _halt_all(state, [server.name for server, done in started if done.exception() is None and done.result()])
    raise failures[0]


def _wait_for(starts: Sequence[Future[bool]], state: State) -> None:
    """Ctrl-C must not wait for slow servers: it makes every start give up."""
    try:
        wait(starts)
    except BaseException:
        state.interrupted.set()
        raise


def _choose_ports(state: State, report: Report) -> None:
    """Running servers keep theirs; the others get their former ones where these are still free."""
    wanted = [*databases.port_names(), *broker_kinds.port_names(state), "mail"]
    free = [name for name in wanted if not state.running(name.partition(" ")[0])]
    state.ports.update(ports.choose(free, state.ports, report))
    state.save()


def _halt_all(state: State, names: Sequence[str]) -> None:
    """All at once: brokers that copy each other wait for one another otherwise."""
    if names:
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(lambda name: halt(name, state), names))


def _component(state: State, name: str) -> ComponentStatus:
    own = broker_kinds.own() if name.startswith(("kafka", "light")) else ""
    own = databases.own_address() if name == "postgres" else own
    if own:
        return ComponentStatus(name, "running" if listens(own) else "stopped", None, own)
    process = state.processes.get(name)
    address = f"{ports.LOOPBACK}:{state.ports[name]}" if name in state.ports else ""
    if process is None:
        return ComponentStatus(name, "stopped", None, address)
    return ComponentStatus(name, "running" if state.running(name) else "stale", process.pid, address)


def _info(state: State) -> StackInfo:
    proxied = (f"{ports.LOOPBACK}:{port}" for name, port in state.ports.items() if name.endswith(" proxy"))
    return StackInfo(
        kafka_bootstrap=broker_kinds.bootstrap(state),
        database_url=databases.url(state),
        smtp_host=ports.LOOPBACK,
        smtp_port=state.ports["mail"],
        mail_dir=state.home / "mail",
        broker=broker_kinds.label(state),
        home=state.home,
        kafka_proxied=tuple(proxied) if state.proxy_port is not None else (),
    )
