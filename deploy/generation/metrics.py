"""docs/reference/metrics.md: what `/metrics` of every service tells."""

from deploy.generation.contracts import NOTE
from shared.telemetry.metrics import METRICS, Metric

HEAD = f"""\
{NOTE}
# Metrics

Every service answers `GET /metrics` in Prometheus' text format. Durations are seconds. No label ever holds an id or
anything about a person.

| metric | kind | labels | meaning |
|---|---|---|---|
"""


def render() -> str:
    """The page."""
    return HEAD + "".join(f"{_row(metric)}\n" for metric in METRICS)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |"
