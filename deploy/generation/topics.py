"""docs/reference/topics.md: the topics as `habeas topics apply` makes them."""

from deploy.generation.contracts import NOTE, carried_by
from shared.events.topics import DECLARED, FOREVER, MEMBER, Topic

DAY_MS = 24 * 3600 * 1000
HEAD = f"""\
{NOTE}
# Topics

Event topics have one writer and are kept for ever: they hold no identity, and what they hold sealed is forgotten
when the request's key is destroyed. Command topics have one reader. Nothing that is keyed by request is compacted; a
state topic is: of each key its last record counts, and a record without a value takes the key off.
`habeas topics apply` creates them; brokers never create one by themselves. `HABEAS_NAMESPACE` stands in front of
every name. `{MEMBER}` stands for each vendor that is told over Kafka: `habeas vendors onboard` makes its two topics.
Directives name people, to that vendor alone, and are therefore not kept for ever.

| topic | kind | writers → readers | key | partitions | kept | carries |
|---|---|---|---|---|---|---|
"""


def render() -> str:
    """The page."""
    return HEAD + "".join(f"{_row(topic)}\n" for topic in DECLARED)


def _row(topic: Topic) -> str:
    cells = (
        f"`{topic.name}`",
        topic.kind,
        f"{', '.join(topic.writers)} → {', '.join(topic.readers)}",
        topic.keyed_by,
        str(topic.partitions),
        "for ever" if topic.retention_ms == FOREVER else f"{topic.retention_ms // DAY_MS} days",
        ", ".join(one.model.__name__ for one in carried_by(topic)) or "sealed originals",
    )
    return f"| {' | '.join(cells)} |"
