"""Every topic, declared once: who writes it, who reads it, how long it is kept.

Event topics have one writer and are kept for ever (they hold no identity). Command topics have one reader.
What is keyed by request is never compacted: a request's history is the point. A state topic has one writer and is
compacted: of each key its last record counts, and one without a value says that there is nothing to say any more.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

SERVICES = ("intake", "verification", "fulfillment", "deadline")
FOREVER = -1
WEEK_MS = 7 * 24 * 3600 * 1000
MONTHS_MS = 400 * 24 * 3600 * 1000
# Longer than any answer's time: a vendor that was away finds its directives, which are encrypted to it alone.
SIXTY_DAYS_MS = 60 * 24 * 3600 * 1000
MEMBER: Final = "{vendor}"
VENDOR_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `retention_ms` is milliseconds, -1 for ever."""

    name: str
    kind: Literal["event", "command", "dead-letters", "state"]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    keyed_by: str
    retention_ms: int = FOREVER
    # As many instances of a service can share the work; more can be added to a running installation (ADR 0026).
    partitions: int = 4

    def of(self, vendor: str) -> "Topic":
        """One vendor's topic of a family; any other topic is itself."""
        return replace(self, name=self.name.replace(MEMBER, vendor)) if vendor else self

    def vendor_in(self, name: str) -> str | None:
        """Whose topic of this family has this name; None for a topic of another, and for a family of none."""
        before, found, _ = self.name.partition(MEMBER)
        vendor = name.removeprefix(before)
        return vendor if found and name.startswith(before) and VENDOR_NAME.fullmatch(vendor) else None

    def covers(self, name: str) -> bool:
        """Whether this is the topic of that name, or the family that it belongs to."""
        return name == self.name or self.vendor_in(name) is not None


def _event(name: str, writer: str, *readers: str) -> Topic:
    return Topic(name, "event", (writer,), (*readers, "console"), "request")


def _commands(reader: str, *writers: str) -> Topic:
    return Topic(
        f"dsar.commands.{reader}", "command", (*writers, "console", "cli"), (reader,), "request", MONTHS_MS
    )


def _dead_letters(service: str) -> Topic:
    name = f"dsar.dead-letters.{service}"
    return Topic(name, "dead-letters", (service,), ("console",), "original key", 60 * 24 * 3600 * 1000, 1)


SUBMISSIONS = Topic("dsar.submissions", "command", ("upstream",), ("intake",), "submission", WEEK_MS)
RECEIVED = _event("dsar.received", "intake", "verification", "fulfillment", "deadline")
VERIFIED = _event("dsar.verified", "verification", "fulfillment", "intake", "deadline")
FULFILLED = _event("dsar.fulfilled", "fulfillment", "intake", "deadline")
# Deadline reads its own extension back: the certificate names its id and the digest of its bytes.
EXTENDED = _event("dsar.extended", "deadline", "intake", "verification", "fulfillment", "deadline")
CLOSED = _event("dsar.closed", "deadline", "intake", "verification", "fulfillment")
JOURNAL_INTAKE = _event("dsar.journal.intake", "intake", "deadline")
JOURNAL_VERIFICATION = _event("dsar.journal.verification", "verification")
JOURNAL_FULFILLMENT = _event("dsar.journal.fulfillment", "fulfillment", "deadline")
JOURNAL_DEADLINE = _event("dsar.journal.deadline", "deadline")
COMMANDS_INTAKE = _commands("intake", "verification", "fulfillment", "deadline")
COMMANDS_VERIFICATION = _commands("verification", "intake")
COMMANDS_FULFILLMENT = _commands("fulfillment")
COMMANDS_DEADLINE = _commands("deadline")
SUPPRESSED = Topic("dsar.suppressed", "state", ("fulfillment",), ("console",), "keyed hash")
DEAD_LETTERS = {service: _dead_letters(service) for service in SERVICES}

TOPICS: tuple[Topic, ...] = (
    SUBMISSIONS, RECEIVED, VERIFIED, FULFILLED, EXTENDED, CLOSED,
    JOURNAL_INTAKE, JOURNAL_VERIFICATION, JOURNAL_FULFILLMENT, JOURNAL_DEADLINE,
    COMMANDS_INTAKE, COMMANDS_VERIFICATION, COMMANDS_FULFILLMENT, COMMANDS_DEADLINE,
    SUPPRESSED, *DEAD_LETTERS.values(),
)  # fmt: skip
# Two topics for each vendor that is told over Kafka. The installation's vendors decide which there are.
DIRECTIVES = Topic(
    f"dsar.directives.{MEMBER}", "event", ("fulfillment",), ("vendor",), "request", SIXTY_DAYS_MS, 3
)
ACKNOWLEDGEMENTS = Topic(
    f"dsar.acknowledgements.{MEMBER}", "command", ("vendor",), ("fulfillment",), "directive", MONTHS_MS, 3
)
FAMILIES = (DIRECTIVES, ACKNOWLEDGEMENTS)
DECLARED: tuple[Topic, ...] = (*TOPICS, *FAMILIES)
JOURNALS = {
    "intake": JOURNAL_INTAKE,
    "verification": JOURNAL_VERIFICATION,
    "fulfillment": JOURNAL_FULFILLMENT,
    "deadline": JOURNAL_DEADLINE,
}
LIFECYCLE = (RECEIVED, VERIFIED, FULFILLED, EXTENDED, CLOSED)


def read_by(service: str) -> tuple[Topic, ...]:
    """The topics that a service subscribes to."""
    return tuple(topic for topic in TOPICS if service in topic.readers)
