"""Who may do what at the broker, read off the topics as they are declared; whatever stands nowhere is denied.

Reading and writing a topic imply seeing it. Services and vendors read in groups of their own; people at the command
line and the console read without one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from shared.events.topics import FAMILIES, SERVICES, TOPICS, Topic

VENDOR = "vendor"
CLI, CONSOLE = "cli", "console"
UPSTREAM = "upstream"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One principal may do one thing with one topic or group; `prefixed` means all whose names begin so."""

    principal: str
    operation: Literal["read", "write"]
    resource: Literal["topic", "group"]
    name: str
    prefixed: bool = False

    def statement(self, bootstrap: str) -> str:
        """The same as an administrator gives it to Kafka's own tool."""
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        return (
            f"kafka-acls.sh --bootstrap-server '{bootstrap}' --command-config admin.properties --add"
            f" --allow-principal User:{self.principal} --operation {self.operation.capitalize()}"
            f" --{self.resource} '{self.name}'{pattern}"
        )


def principals(vendors: Iterable[str]) -> tuple[str, ...]:
    """Everybody who connects to the broker."""
    return (*SERVICES, CONSOLE, CLI, UPSTREAM, *vendors)


def grants(vendors: Iterable[str], *, namespace: str = "") -> tuple[Grant, ...]:
    """Everything that anybody may do."""
    vendors = tuple(vendors)
    own = (grant for topic in TOPICS for grant in _of(topic, namespace))
    groups = (Grant(one, "read", "group", f"{namespace}habeas.{one}") for one in SERVICES)
    theirs = (grant for one in vendors for grant in grants_for(one, namespace=namespace))
    return tuple(sorted({*own, *groups, *theirs}))


def grants_for(vendor: str, *, namespace: str = "") -> tuple[Grant, ...]:
    """What one vendor more makes necessary, for itself and for fulfillment."""
    topics = [topic.of(vendor) for topic in FAMILIES]
    found = {
        Grant(vendor if one.principal == VENDOR else one.principal, one.operation, one.resource, one.name)
        for topic in topics
        for one in _of(topic, namespace)
    }
    # The dot is in no vendor's name: a prefix without it would let one whose name is shorter into another's groups.
    groups = {
        Grant(vendor, "read", "group", f"{namespace}{vendor}"),
        Grant(vendor, "read", "group", f"{namespace}{vendor}.", prefixed=True),
    }
    return tuple(sorted({*found, *groups}))


def _of(topic: Topic, namespace: str) -> Iterator[Grant]:
    name = namespace + topic.name
    yield from (Grant(one, "write", "topic", name) for one in topic.writers)
    yield from (Grant(one, "read", "topic", name) for one in topic.readers)
    if topic.kind != "command" and VENDOR not in topic.readers:
        # People look at what was said, at its answers and at dead letters; commands they only give.
        yield Grant(CLI, "read", "topic", name)
