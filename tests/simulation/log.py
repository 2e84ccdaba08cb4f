"""Topics with partitions and offsets, and what each group of readers has committed."""

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PARTITIONS = 2
Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record as a consumer gets it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes

    def header(self, name: str) -> str:
        return next((value.decode() for key, value in self.headers if key == name), "")


@dataclass
class Log:
    """Everything that was ever published, in order."""

    partitions: dict[Partition, list[LogRecord]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[tuple[str, Partition], int] = field(default_factory=dict)
    stalled: set[tuple[str, Partition]] = field(default_factory=set)
    count: int = PARTITIONS

    def add_partition(self) -> None:
        """Keys move: what comes later may be read before what came earlier."""
        self.count += 1

    def append(self, topic: str, key: str, headers: Mapping[str, str], value: bytes) -> LogRecord:
        partition = zlib.crc32(key.encode()) % self.count
        records = self.partitions[topic, partition]
        encoded = tuple((name, text.encode()) for name, text in headers.items())
        record = LogRecord(topic, partition, len(records), key.encode(), encoded, value)
        records.append(record)
        return record

    def position(self, group: str, partition: Partition) -> int:
        return self.committed.get((group, partition), 0)

    def lagging(self, group: str, topics: Sequence[str]) -> list[Partition]:
        """The partitions of these topics in which the group has something to read."""
        found = []
        for topic in topics:
            for number in range(self.count):
                if (group, (topic, number)) in self.stalled:
                    continue
                records = self.partitions.get((topic, number))
                if records and self.position(group, (topic, number)) < len(records):
                    found.append((topic, number))
        return found

    def rewind(self, group: str, topics: Sequence[str]) -> None:
        """Forget the group's offsets: everything is read again from the beginning."""
        for topic in topics:
            for number in range(self.count):
                self.committed.pop((group, (topic, number)), None)
