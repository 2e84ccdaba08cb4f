"""What became of one request, in plain JSON and instants: all that the checker is given to judge by."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from shared.machine.decision import Message, TaskPlan
from tests.support.domain_driver import Sent


@dataclass
class Fact:
    """A record as it lay on its topic; most are only counted."""

    at: datetime
    type: str
    value: bytes

    @cached_property
    def body(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = json.loads(self.value)
        return found


@dataclass
class Told:
    """Everything that was said, mailed, refused and planned about a request."""

    facts: list[Fact] = field(default_factory=list)
    mails: list[tuple[str, datetime]] = field(default_factory=list)
    refusals: list[tuple[datetime, str, str]] = field(default_factory=list)
    tasks: dict[tuple[str, str], TaskPlan] = field(default_factory=dict)
    ended: dict[str, datetime] = field(default_factory=dict)
    waited: Counter[str] = field(default_factory=Counter)
    """How often something had to wait for a part that was away."""

    def said(self, at: datetime, sent: Sent) -> None:
        self.facts.append(Fact(at, sent.row.headers["ce_type"], sent.row.value))

    def refused(self, at: datetime, message: Message, reason: str) -> None:
        self.refusals.append((at, message.ce_type, reason))

    def all(self, ce_type: str) -> list[Fact]:
        return [fact for fact in self.facts if fact.type == ce_type]
