"""The floor's rows: filler of the lengths that a deletion was seen to have, written by arrays."""

from collections.abc import Iterator
from datetime import date, datetime
from random import randrange
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from bench.floor_service import Hop

BODIES = {"intake": "b" * 1360, "verification": "b" * 388, "fulfillment": "b" * 744, "deadline": "b" * 1341}
RESULTS = {"intake": "r" * 115, "fulfillment": "r" * 520, "deadline": "r" * 400}
FROZEN = {"intake": None, "fulfillment": "f" * 126, "deadline": None}
HASH, FACTS, SEALED, JWS, HEADERS = "h" * 64, "f" * 200, "s" * 600, "j" * 1500, "h" * 420
KIND = "dsar.fulfillment.task-settled.v1"
APPLIED, TASK_BODY = "a" * 54, "t" * 100
SEQUENCES = 1 << 30

KEYS = """
INSERT INTO vault.keys (request_id, wrapped, kek_version)
SELECT unnest($1::uuid[]), decode(repeat('ab', 60), 'hex'), '1'"""
CASES = """
INSERT INTO cases (request_id, opened_month) SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING"""
LOCKED = (
    "SELECT body, applied, sent FROM cases WHERE request_id = ANY($1::uuid[]) ORDER BY request_id FOR UPDATE"
)
UPDATED = """
UPDATE cases c SET body = $2, applied = $3, sent = $3, audit_seq = c.audit_seq + 1, audit_head = $4, wake_at = $5
FROM unnest($1::uuid[]) AS u(request_id) WHERE c.request_id = u.request_id"""
AUDIT = """
INSERT INTO audit (request_id, seq, at, kind, facts, prev, hash)
SELECT request_id, seq, $3, $4, $5, $6, $6 FROM unnest($1::uuid[], $2::int[]) AS u(request_id, seq)"""
KEPT = """
INSERT INTO kept (request_id, name, message_id, field, sealed)
SELECT request_id, 'claims', $2, 'claims', $3 FROM unnest($1::uuid[]) AS u(request_id)"""
COMMANDS = """
INSERT INTO applied_commands (request_id, source, command_id)
SELECT request_id, 'upstream/bench', $2 FROM unnest($1::uuid[]) AS u(request_id)"""
SUBJECTS = """
INSERT INTO open_subject (request_id, business, subject_hash, asked)
SELECT request_id, 'bench', request_id::text, 'delete' FROM unnest($1::uuid[]) AS u(request_id)"""
FORGOTTEN = "DELETE FROM open_subject WHERE request_id = ANY($1::uuid[])"
CERTIFICATES = """
INSERT INTO certificates (request_id, payload_sha256, jws, created_at)
SELECT request_id, repeat('a', 64), $2, now() FROM unnest($1::uuid[]) AS u(request_id)"""
SUPPRESSED = """
INSERT INTO suppressed (hash, rights, business, grounds, since, version)
SELECT uuid_send(request_id), 'delete', 'bench', '{}', $2, nextval('suppressed_version')
FROM unnest($1::uuid[]) AS u(request_id)"""
# A row for each system that was planned, changed when the system is done.
WORK = """
INSERT INTO system_work (request_id, system, asked, planned_at)
SELECT request_id, system, 'delete', $3 FROM unnest($1::uuid[], $2::text[]) AS u(request_id, system)"""
WORKED = """
UPDATE system_work w SET settled_at = $3 FROM unnest($1::uuid[], $2::text[]) AS u(request_id, system)
WHERE w.request_id = u.request_id AND w.system = u.system"""
TASKS = """
INSERT INTO tasks (task_id, request_id, key, handler, purpose, body, urgency, run_at)
SELECT task_id, request_id, key, 'act', 'act', $4, $5, $5
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS u(task_id, request_id, key)"""
CLAIMED = """
UPDATE tasks SET state = 'claimed', epoch = 1, attempts = 1, lease_until = clock_timestamp() + interval '90 seconds'
WHERE task_id = ANY($1::uuid[])"""
CALLING = """
UPDATE tasks SET state = 'calling', frozen = $2, lease_until = clock_timestamp() + interval '90 seconds'
WHERE task_id = ANY($1::uuid[])"""
DONE = "UPDATE tasks SET state = 'done', result = $2, lease_until = NULL WHERE task_id = ANY($1::uuid[])"
OUTBOX = """
INSERT INTO outbox (opened_month, shard, topic, key, request_id, sequence, headers, value)
SELECT $1, 0, topic, request_id::text, request_id, sequence, $4, value
FROM unnest($2::text[], $3::uuid[], $5::int[], $6::bytea[]) AS u(topic, request_id, sequence, value)
RETURNING id"""
PUBLISHED = """
UPDATE outbox SET published_at = clock_timestamp() WHERE opened_month = $1 AND id = ANY($2::bigint[])"""


def month_of(moment: datetime) -> date:
    """The partition of the outbox to which everything of this moment goes."""
    return moment.date().replace(day=1)


class Rows:
    """What one transaction of a service writes."""

    def __init__(self, service: str, now: datetime) -> None:
        self._service, self._now = service, now
        self._month = month_of(now)
        self._changed: dict[UUID, None] = {}
        self._audit: list[UUID] = []
        self._also: dict[str, list[UUID]] = {}
        self.sends: list[tuple[str, UUID, str, int]] = []
        self.tasks: list[tuple[UUID, UUID, str]] = []

    def add(self, about: UUID, hop: "Hop") -> None:
        """What one record or ended task leads to."""
        self._changed[about] = None
        self._audit.append(about)
        for name in hop.also:
            self._also.setdefault(name, []).append(about)
        self.sends += [(topic, about, kind, size) for topic, kind, size in hop.sends]
        self.tasks += [(uuid4(), about, kind) for kind in hop.tasks]

    @property
    def keys(self) -> list[UUID]:
        """Requests that need a key in the vault, which is another database."""
        return self._also.get("vault", [])

    def statements(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Everything but the outbox, in the order in which it is written."""
        cases = list(self._changed)
        yield CASES, (cases, self._month)
        yield LOCKED, (cases,)
        yield UPDATED, (cases, BODIES[self._service], APPLIED, HASH, self._now)
        numbers = [randrange(SEQUENCES) for _ in self._audit]  # noqa: S311 - a filler, not a secret
        yield AUDIT, (self._audit, numbers, self._now, KIND, FACTS, HASH)
        for name, ids in self._also.items():
            yield from _beside(name, ids, self._now)
        if self.tasks:
            tasks, about, _kinds = zip(*self.tasks, strict=True)
            yield TASKS, (tasks, about, list(map(str, tasks)), TASK_BODY, self._now)

    def outbox(self) -> tuple[Any, ...]:
        """The columns of what goes out."""
        topics, about, _kinds, sizes = zip(*self.sends, strict=True)
        numbers = [randrange(SEQUENCES) for _ in sizes]  # noqa: S311 - a filler, not a secret
        return self._month, topics, about, HEADERS, numbers, [b"v" * size for size in sizes]


def _beside(name: str, ids: list[UUID], now: datetime) -> list[tuple[str, tuple[Any, ...]]]:
    systems = [str(uuid4()) for _ in ids]
    found: dict[str, list[tuple[str, tuple[Any, ...]]]] = {
        "vault": [],
        "kept": [(KEPT, (ids, uuid4(), SEALED))],
        "applied_commands": [(COMMANDS, (ids, uuid4()))],
        "open_subject": [(SUBJECTS, (ids,))],
        "forget_subject": [(FORGOTTEN, (ids,))],
        "suppressed": [(SUPPRESSED, (ids, now))],
        "work": [(WORK, (ids, systems, now)), (WORKED, (ids, systems, now))],
        "certificates": [(CERTIFICATES, (ids, JWS))],
    }
    return found[name]
