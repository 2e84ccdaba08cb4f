"""What the embedded broker is told: its `server.properties` and its logging, for each node."""

from dataclasses import dataclass
from pathlib import Path

from deploy.local.ports import LOOPBACK

TEN_YEARS_IN_MINUTES = 10 * 365 * 24 * 60

SETTINGS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENT",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXY:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # Committed offsets must outlast any pause of a service; "for ever" does not exist.
    "offsets.retention.minutes": str(TEN_YEARS_IN_MINUTES),
    # A broker that was killed may register again only when its former session has ended.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
    # The default reserves 128 MB of heap for the cleaner at once.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}

# Who comes through a fault proxy may lose a right there; what no rule names is allowed.
RIGHTS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}

LOGGING = """\
<Configuration status="WARN">
  <Appenders>
    <RollingFile name="file" fileName="${sys:habeas.log}" filePattern="${sys:habeas.log}.%i">
      <PatternLayout pattern="%d %p %c{1} %m%n"/>
      <Policies><SizeBasedTriggeringPolicy size="5 MB"/></Policies>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="file"/></Root></Loggers>
</Configuration>
"""


@dataclass(frozen=True)
class Node:
    """One broker that is also a controller."""

    number: int
    client: int
    controller: int
    proxy: int | None
    proxy_advertised: int | None
    folder: Path


def properties(node: Node, nodes: tuple[Node, ...]) -> str:
    """The file's text. Voters are static, so a node whose port had to change is found all the same."""
    listeners = {"CLIENT": node.client, "CONTROLLER": node.controller}
    advertised = {"CLIENT": node.client}
    if node.proxy is not None and node.proxy_advertised is not None:
        listeners["PROXY"], advertised["PROXY"] = node.proxy, node.proxy_advertised
    settings = {
        **SETTINGS,
        **(RIGHTS if node.proxy is not None else {}),
        **_copies(len(nodes)),
        "node.id": str(node.number),
        "controller.quorum.voters": ",".join(f"{one.number}@{LOOPBACK}:{one.controller}" for one in nodes),
        "listeners": _addresses(listeners),
        "advertised.listeners": _addresses(advertised),
        # Relative to the folder that the broker runs in, so a comma in the path of the home does no harm.
        "log.dirs": "data",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _copies(nodes: int) -> dict[str, str]:
    copies, in_sync = str(nodes), str(max(1, nodes - 1))
    return {
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


def _addresses(ports: dict[str, int]) -> str:
    return ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())
