"""Bugs put into the SQL of the store, the tasks and the outbox: the contract suites must find them on PostgreSQL.

Each names the test of a contract suite that must fail while its statement is changed; none edits a file.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from shared.machine import statements as machine
from shared.outbox import statements as outbox
from shared.tasks import statements as tasks
from tests.contracts.outbox import test_any_outbox as on_outbox
from tests.contracts.store import test_any_store as on_store
from tests.contracts.store import test_any_task_store as on_tasks
from tests.mutations.seeding import Layer

Test = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Changed:
    """A statement, and what stands in it instead."""

    module: ModuleType
    name: str
    old: str
    new: str

    def within(self, statement: str) -> str:
        """The statement with the bug in it."""
        assert self.old in statement, f"{self.name} does not say {self.old!r} any more"
        return statement.replace(self.old, self.new)


@dataclass(frozen=True)
class SqlMutation:
    """A bug, and the test of a contract suite that must catch it; `given` are the test's own parameters."""

    name: str
    caught_by: Test
    changes: tuple[Changed, ...]
    given: tuple[Any, ...] = ()
    layers: tuple[Layer, ...] = ("store contract",)


def _bug(
    name: str, caught_by: Test, *changes: tuple[ModuleType, str, str, str], given: Any = ()
) -> SqlMutation:
    return SqlMutation(name, caught_by, tuple(Changed(*one) for one in changes), given)


_EPOCH = " AND t.epoch = u.epoch"
_RUNS = " AND t.state || '' IN ('claimed', 'calling')"
_LOST = on_tasks.test_a_claim_whose_lease_ran_out_is_queued_again_and_its_owner_has_lost_it
_AMBIGUOUS = on_tasks.test_a_call_whose_lease_ran_out_is_ambiguous_and_stays_so_if_its_settler_dies_too
_STALE = on_outbox.test_a_stale_epoch_marks_nothing
_GAP = on_store.test_parked_records_are_ready_from_the_next_in_sequence_on_and_in_order

SQL_MUTATIONS = (
    _bug("a claim keeps the old epoch", _LOST, (tasks, "CLAIM", "t.epoch + 1", "t.epoch")),
    _bug(
        "an expired call is queued as if it had never been made",
        _AMBIGUOUS,
        (tasks, "EXPIRE", "CASE t.state WHEN 'calling' THEN 'ambiguous' ELSE 'queued' END", "'queued'"),
    ),
    _bug("leases never run out", _LOST, (tasks, "EXPIRE", "lease_until < now()", "false")),
    _bug(
        "leases run out at once",
        on_tasks.test_a_due_task_is_claimed_once_under_a_new_epoch,
        (tasks, "EXPIRE", "lease_until < now()", "true"),
    ),
    _bug(
        "a task is claimed before its time",
        on_tasks.test_a_task_of_an_unknown_handler_or_a_later_time_is_left_alone,
        (tasks, "DUE", "t.run_at <= $1", "$1::timestamptz IS NOT NULL"),
    ),
    _bug(
        "tasks of blocked cases are claimed",
        on_tasks.test_the_most_urgent_tasks_of_blocked_cases_do_not_keep_the_others_waiting,
        (tasks, "DUE", "AND NOT c.blocked", ""),
    ),
    _bug(
        "a claim waits for whoever holds a case",
        on_tasks.test_a_case_that_somebody_else_holds_is_stepped_over,
        (tasks, "DUE", "SKIP LOCKED", ""),
    ),
    _bug(
        "a claim locks no case",
        on_tasks.test_a_case_that_somebody_else_holds_is_stepped_over,
        (tasks, "DUE", "FOR UPDATE OF c SKIP LOCKED", ""),
    ),
    _bug(
        "CALLING is committed without looking at the epoch",
        _LOST,
        (tasks, "CALLING", _EPOCH, ""),
    ),
    _bug(
        "an earlier attempt's ids are overwritten with nothing",
        on_tasks.test_calling_stores_what_the_call_is_bound_to_and_a_later_attempt_finds_it,
        (tasks, "CALLING", "coalesce(u.frozen, t.frozen)", "u.frozen"),
    ),
    _bug("who lost a task puts it back", _LOST, (tasks, "AGAIN", "AND epoch = $2 ", "AND $2::bigint > 0 ")),
    _bug(
        "an ambiguous task is put back as never called",
        on_tasks.test_what_may_have_called_out_is_settled_whatever_the_case_says,
        (
            tasks,
            "AGAIN",
            "CASE WHEN $3 THEN 'ambiguous' ELSE 'queued' END",
            "CASE WHEN $3 THEN 'queued' ELSE 'queued' END",
        ),
    ),
    _bug(
        "a hurried task waits all the same",
        on_tasks.test_a_task_that_was_hurried_while_it_ran_comes_back_at_once,
        (tasks, "AGAIN", "CASE WHEN hurried THEN run_at ELSE $4 END", "$4"),
    ),
    _bug("a finish is counted without its epoch", _LOST, (machine, "FINISH_TASKS", _EPOCH, "")),
    _bug(
        "a finish is counted twice",
        on_tasks.test_a_finish_counts_once_and_frees_the_task_for_good,
        (machine, "FINISH_TASKS", _RUNS, ""),
    ),
    _bug(
        "a person's task that froze its ids acts again without proof",
        on_tasks.test_a_person_s_task_comes_back_when_hurried_and_settles_if_it_had_frozen_its_ids,
        (machine, "HURRY_TASKS", "THEN 'ambiguous'", "THEN 'queued'"),
    ),
    _bug(
        "cases are read without a lock",
        on_store.test_batches_that_share_cases_in_any_order_never_wait_in_a_circle,
        (machine, "LOCK_CASES", "FOR UPDATE", ""),
    ),
    _bug(
        "waking waits for whoever holds a case",
        on_store.test_due_cases_that_others_hold_are_left_to_them,
        (machine, "LOCK_DUE", "SKIP LOCKED", ""),
    ),
    _bug(
        "what is not due any more is woken",
        on_store.test_what_is_not_due_any_more_is_not_woken,
        (machine, "LOCK_DUE", "AND wake_at <= $2 ", "AND $2::timestamptz IS NOT NULL "),
    ),
    _bug(
        "blocked cases are woken",
        on_store.test_due_cases_come_longest_due_first_and_blocked_ones_never,
        (machine, "DUE", "AND NOT blocked", ""),
    ),
    _bug(
        "two command sources share their numbers in the table",
        on_store.test_commands_are_known_by_request_source_and_number,
        (
            machine,
            "SEEN_COMMANDS",
            "a.request_id, a.source, a.command_id",
            "m.request_id, m.source, m.command_id",
        ),
        (machine, "SEEN_COMMANDS", "USING (request_id, source, command_id)", "USING (command_id)"),
    ),
    _bug(
        "a task planned twice is another one",
        on_store.test_a_task_planned_twice_stays_the_one_that_was_there,
        (machine, "INSERT_TASKS", "DO NOTHING", "DO UPDATE SET task_id = excluded.task_id"),
    ),
    _bug(
        "a gap is passed over",
        _GAP,
        (machine, "READY_PARKED", "head.sequence <=", "head.sequence > 0 OR 0 ="),
    ),
    _bug(
        "parked records come in any order",
        _GAP,
        (machine, "READY_PARKED", "p.sequence LIMIT", "p.sequence DESC LIMIT"),
    ),
    _bug(
        "the first field kept under a name stays",
        on_store.test_of_two_fields_kept_under_one_name_the_last_is_remembered,
        (
            machine,
            "INSERT_KEPT",
            "message_id = excluded.message_id, field = excluded.field, sealed = excluded.sealed",
            "field = kept.field",
        ),
    ),
    _bug(
        "no order at the head of the line",
        on_outbox.test_only_the_first_record_of_each_topic_and_request_stands_at_the_head,
        (outbox, "HEADS", "e.id + 0 < o.id", "false"),
    ),
    _bug(
        "a blocked record is sent for ever",
        on_outbox.test_a_blocked_record_holds_up_its_own_line_and_no_other,
        (outbox, "HEADS", "AND o.blocked_at IS NULL", ""),
    ),
    _bug(
        "a blocked record is overtaken",
        on_outbox.test_a_blocked_record_holds_up_its_own_line_and_no_other,
        (
            outbox,
            "HEADS",
            "AND e.published_at IS NULL AND e.id",
            "AND e.published_at IS NULL AND e.blocked_at IS NULL AND e.id",
        ),
    ),
    _bug(
        "marks without the lease's epoch",
        _STALE,
        (
            outbox,
            "MARK",
            "s.owner = $3 AND s.epoch = ($4::bigint[])[o.shard + 1]",
            "$3::text <> '' AND $4::bigint[] IS NOT NULL",
        ),
    ),
    _bug(
        "marks under one's own earlier epoch",
        on_outbox.test_a_relay_s_own_earlier_epoch_marks_nothing,
        (outbox, "MARK", "s.epoch = ($4::bigint[])[o.shard + 1]", "$4::bigint[] IS NOT NULL"),
    ),
    _bug(
        "a stale epoch blocks a record",
        on_outbox.test_a_stale_epoch_and_another_s_block_nothing,
        (outbox, "BLOCK", "s.epoch = $4 AND s.owner = $5", "$4::bigint > 0 AND $5::text <> ''"),
        given=("one",),
    ),
    _bug(
        "shards are taken from whoever holds them",
        on_outbox.test_what_one_relay_holds_no_other_gets,
        (outbox, "ACQUIRE", "lease_until < clock_timestamp()\n", "true\n"),
    ),
    _bug(
        "a shard changes hands under the same epoch",
        on_outbox.test_a_shard_that_comes_to_another_relay_has_a_later_epoch,
        (outbox, "ACQUIRE", "ELSE 1 END", "ELSE 0 END"),
    ),
    _bug(
        "expiry is ignored: what a dead relay held is nobody's",
        on_outbox.test_a_shard_that_comes_to_another_relay_has_a_later_epoch,
        (outbox, "ACQUIRE", "OR lease_until < clock_timestamp()", ""),
    ),
    _bug(
        "the fair share forgets who waits",
        on_outbox.test_the_fair_share_counts_a_relay_that_waits_and_has_none_yet,
        (outbox, "OTHERS", "owner <> $1", "owner <> $1 AND false"),
    ),
)
