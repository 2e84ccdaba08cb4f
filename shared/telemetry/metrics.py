"""Every metric, declared once: name, meaning, labels. The reference in docs/ is made from this list."""

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; durations are seconds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()


MESSAGES = Metric("habeas_messages_total", "counter", "Messages by what became of them.", ("status",))
BATCH_SECONDS = Metric("habeas_batch_seconds", "histogram", "How long a batch took, from records to commit.")
RECORDS = Metric("habeas_outbox_records_total", "counter", "Records written to the outbox.")
PUBLISHED = Metric("habeas_outbox_published_total", "counter", "Records that the relay had acknowledged.")
OUTBOX_AGE = Metric(
    "habeas_outbox_oldest_seconds", "gauge", "Age of the oldest record still to be published."
)
OUTBOX_BLOCKED = Metric(
    "habeas_outbox_blocked", "gauge", "Records that can never be sent as they are. Alert above 0."
)
GAP_AGE = Metric(
    "habeas_parked_oldest_seconds", "gauge", "How long the oldest parked record has waited for its gap."
)
CASES_BLOCKED = Metric(
    "habeas_cases_blocked",
    "gauge",
    "Cases that wait for a person with their dead letter: nothing of them goes on, no date is watched. "
    "Alert above 0.",
)
DEAD_LETTERS = Metric(
    "habeas_dead_letters_open", "gauge", "Dead letters that nobody has tried again yet. Alert above 0."
)
SHARDS_FREE = Metric(
    "habeas_outbox_shards_free",
    "gauge",
    "Shards of the outbox that no relay holds: what lies in them waits. A moment's is a restart.",
)
REFUSALS = Metric(
    "habeas_refusals_total",
    "counter",
    "Commands, vendors' words and forms that moved nothing, by the reason that was given.",
    ("reason",),
)
FACTS = Metric("habeas_facts_total", "counter", "Events and commands written, by their type.", ("ce_type",))
TASKS_OPEN = Metric("habeas_tasks_open", "gauge", "Tasks that have not ended, by state.", ("state",))
CONSUMER_LAG = Metric(
    "habeas_consumer_lag", "gauge", "Records still to be read, over all assigned partitions."
)
LOOP_FAILURES = Metric("habeas_loop_failures", "gauge", "Turns of a background loop that failed.", ("loop",))
METRICS = (
    MESSAGES, BATCH_SECONDS, RECORDS, PUBLISHED, OUTBOX_AGE, OUTBOX_BLOCKED, GAP_AGE, TASKS_OPEN, CONSUMER_LAG,
    LOOP_FAILURES, CASES_BLOCKED, DEAD_LETTERS, SHARDS_FREE, FACTS, REFUSALS,
)  # fmt: skip


class Meters:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters = {m.name: Counter(*_named(m), registry=self.registry) for m in _of("counter")}
        self._gauges = {m.name: Gauge(*_named(m), registry=self.registry) for m in _of("gauge")}
        self._histograms = {m.name: Histogram(*_named(m), registry=self.registry) for m in _of("histogram")}

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters[metric.name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauges[metric.name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def observe(self, metric: Metric, seconds: float) -> None:
        """Add one duration to a histogram."""
        self._histograms[metric.name].observe(seconds)


def _of(kind: str) -> list[Metric]:
    return [metric for metric in METRICS if metric.kind == kind]


def _named(metric: Metric) -> tuple[str, str, tuple[str, ...]]:
    return metric.name, metric.meaning, metric.labels
