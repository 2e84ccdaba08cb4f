"""How the database finds the rows that a statement names, whatever its figures say about queues.

Figures are taken when queues are empty as often as when they are full. A planner that believes nothing waits takes
the rows from the index of what waits: with ten thousand waiting, each look then walks over all of them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from shared.database import BY_INDEX
from shared.machine import statements as machine
from shared.outbox import statements as outbox
from shared.tasks import statements as tasks
from tests.support.installation import Installation

pytestmark = pytest.mark.connected
BY_KEY = {
    "claim": (tasks.CLAIM, "tasks"),
    "postpone": (tasks.POSTPONE, "tasks"),
    "call": (tasks.CALLING, "tasks"),
    "extend": (tasks.EXTEND, "tasks"),
    "try again": (tasks.AGAIN, "tasks"),
    "finish": (machine.FINISH_TASKS, "tasks"),
    "hurry": (machine.HURRY_TASKS, "tasks"),
    "lock": (machine.LOCK_CASES, "cases"),
    "lock for a call": (tasks.LOCK_CASES, "cases"),
    "lock what is due": (machine.LOCK_DUE, "cases"),
    "change": (machine.UPDATE_CASES, "cases"),
    "mark": (outbox.MARK, "outbox"),
    "block": (outbox.BLOCK, "outbox"),
}
# Without a month no table of the outbox would be looked at.
MONTHS = {outbox.MARK: 1, outbox.BLOCK: 2}
# The outbox is many tables, a month each.
KEYS = {
    "tasks": re.compile(r"tasks_pkey|tasks_request_id_key_key"),
    "cases": re.compile(r"cases_pkey"),
    "outbox": re.compile(r"outbox_(default|[0-9_]+)_pkey"),
}
TABLES = {
    "tasks": re.compile(r"tasks"),
    "cases": re.compile(r"cases"),
    "outbox": re.compile(r"outbox_(default|[0-9_]+)"),
}
FILL = """
INSERT INTO cases (request_id, opened_month, closed_at)
  SELECT md5(n::text)::uuid, '2026-01-01', now() FROM generate_series(1, 1000) n;
INSERT INTO tasks (task_id, request_id, key, handler, purpose, state, body, urgency, run_at)
  SELECT md5('task' || n)::uuid, md5((n % 1000 + 1)::text)::uuid, 'key' || n, 'act', 'act', 'done', '{}', now(), now()
  FROM generate_series(1, 5000) n;
INSERT INTO outbox (opened_month, shard, topic, key, request_id, sequence, headers, value, published_at)
  SELECT '2026-01-01', 0, 'dsar.verified', request_id::text, request_id, 1, '{}', '', now() FROM cases;
ANALYZE cases, tasks, outbox"""

# What makes it look at one month's table; no index begins with the month, so none is chosen for it.
BY_MONTH = "(opened_month = o.opened_month)"
BY_THE_INDEX = "; ".join(f"SET {name} = {value}" for name, value in BY_INDEX.items())


async def test_rows_that_are_named_are_found_by_their_key(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute(FILL)

        found = {
            name: await ways(connection, statement, table) for name, (statement, table) in BY_KEY.items()
        }

    assert {name for name, used in found.items() if not used} == set(), "each looks at its table"
    assert {name: used for name, used in found.items() if not by_key(used, BY_KEY[name][1])} == {}


def by_key(used: set[str], table: str) -> bool:
    """Whether all of these are indexes of the table's keys."""
    return all(KEYS[table].fullmatch(one) for one in used)


async def test_open_tasks_are_counted_without_a_look_at_what_is_done(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.execute(FILL)

        used = await ways(connection, tasks.OPEN, "tasks")

    assert used == {"tasks_due", "tasks_leased", "tasks_for_a_person"}


async def test_no_other_index_offers_itself_for_an_earlier_record_of_the_same_key(
    kernel: Installation,
) -> None:
    async with kernel.admin() as connection:
        await connection.execute(f"SET search_path = verification; {BY_THE_INDEX}; DROP INDEX outbox_heads")

        steps = await steps_of(connection, outbox.HEADS, "outbox")

    earlier = [step for step in steps if step["Alias"].startswith("e_")]
    assert earlier
    assert {step["Index Cond"] for step in earlier if "Index Cond" in step} <= {BY_MONTH}


async def ways(connection: asyncpg.Connection, statement: str, table: str) -> set[str]:
    """The indexes by which a table's rows are found, or the kind of step that does without one."""
    steps = await steps_of(connection, statement, table)
    return {node.get("Index Name", node["Node Type"]) for node in steps}


async def steps_of(connection: asyncpg.Connection, statement: str, table: str) -> list[dict[str, Any]]:
    """The steps of a statement's plan that read a table."""
    count = max([int(number) for number in re.findall(r"\$(\d+)", statement)], default=0)
    values = ["'2026-01-01'" if number == MONTHS.get(statement) else "NULL" for number in range(1, count + 1)]
    given = f"({', '.join(values)})" if values else ""
    await connection.execute(f"PREPARE asked AS {statement}")
    plan = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked{given}"))
    await connection.execute("DEALLOCATE asked")
    return [node for node in nodes(plan[0]["Plan"]) if looks_at(node, table)]


def looks_at(node: dict[str, Any], table: str) -> bool:
    """Whether a step reads a table; a step that writes it names it, too."""
    return bool(TABLES[table].fullmatch(node.get("Relation Name", ""))) and node["Node Type"] not in {
        "ModifyTable",
        "LockRows",
    }


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's steps, each of them."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)
