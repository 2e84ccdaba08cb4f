"""Which broker a home gets, decided once: the real Apache Kafka, the light one, or the user's own."""

import os
from collections.abc import Callable, Sequence
from typing import Literal

from deploy.local import jars, java, kafka, light, probes
from deploy.local.errors import SettingError, StackError
from deploy.local.pieces import Server
from deploy.local.state import State

Choice = Literal["auto", "kafka", "light"]


def own() -> str:
    """The user's own broker, or an empty text."""
    return os.environ.get("HABEAS_KAFKA_BOOTSTRAP", "")


def decide(
    state: State, *, choice: Choice, brokers: int, report: Callable[[str], None]
) -> Callable[[], Sequence[Server]]:
    """Settle the kind of broker in the state; what comes back makes its servers once the ports are chosen."""
    if own():
        return _own_servers()
    _same_as_before(state, choice, brokers)
    if "light" in {state.broker, choice}:
        return _light(state)
    if state.broker == "kafka" and all(map(state.running, kafka.names(state.brokers))):
        return lambda: kafka.servers(state, None)
    try:
        programs = kafka.Programs(java.find(), jars.folder(report))
    except SettingError:
        raise
    except StackError as reason:
        return _without_kafka(state, choice, reason, report)
    state.brokers = state.brokers if state.broker == "kafka" else brokers
    state.broker = "kafka"
    state.cluster = state.cluster or kafka.new_cluster()
    state.labels["kafka"] = f"apache-kafka {jars.kafka_version(jars.locked())}"
    return lambda: kafka.servers(state, programs)


def port_names(state: State) -> list[str]:
    if own():
        return []
    if state.broker == "light":
        return ["light"]
    return kafka.port_names(state.brokers, proxied=state.proxy_port is not None)


def process_names(state: State) -> list[str]:
    return {"light": ["light"], "kafka": kafka.names(state.brokers)}.get(state.broker, ["kafka"])


def bootstrap(state: State) -> str:
    return own() or (light.bootstrap(state) if state.broker == "light" else kafka.bootstrap(state))


def label(state: State) -> str:
    return "own (HABEAS_KAFKA_BOOTSTRAP)" if own() else state.labels.get(state.broker, state.broker)


def _own_servers() -> Callable[[], Sequence[Server]]:
    if not probes.listens(own()):
        raise StackError(
            f"Nothing answers at {own()}, which HABEAS_KAFKA_BOOTSTRAP names; start it, or unset that."
        )
    return list


def _same_as_before(state: State, choice: Choice, brokers: int) -> None:
    """A home keeps its broker: another one would not hold the records of the first."""
    if not state.broker:
        return
    if choice not in {"auto", state.broker}:
        raise StackError(
            f"{state.home} has --broker {state.broker}; run `habeas stack reset` to change to {choice}."
        )
    if state.broker == "kafka" and brokers not in {1, state.brokers}:
        raise StackError(
            f"{state.home} has --brokers {state.brokers}; run `habeas stack reset` to change to {brokers}."
        )


def _light(state: State) -> Callable[[], Sequence[Server]]:
    state.broker, state.brokers = "light", 1
    state.labels["light"] = light.label()
    return lambda: [light.server(state)]


def _without_kafka(
    state: State, choice: Choice, reason: StackError, report: Callable[[str], None]
) -> Callable[[], Sequence[Server]]:
    if choice == "kafka" or state.broker == "kafka":
        raise StackError(
            f"{reason} Mend that, set HABEAS_KAFKA_BOOTSTRAP to a broker of your own, "
            "or use --broker light for a first look."
        ) from reason
    report(f"The light broker is used instead of Apache Kafka ({light.WARNING}): {reason}")
    return _light(state)
