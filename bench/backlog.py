"""How fast the relay publishes behind a backlog, against an outbox in which nothing waits.

In turn: a few thousand records in an outbox that is otherwise empty, and as many at the head of 200,000. The relay,
its queries and its producer are the production ones, on the real broker. One JSON line; docs/bench.md says what it
means.

    python bench/backlog.py --backlog 200000 --records 10000 --runs 5
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median

import asyncpg

from bench import machine, page
from bench.world import servers
from deploy.migrate import with_database
from deploy.serving import build_host
from shared.events.topics import JOURNAL_INTAKE
from shared.hosting import Host
from shared.ids import new_id
from shared.outbox.shards import shard_of

COLUMNS = ("opened_month", "shard", "topic", "key", "request_id", "sequence", "headers", "value")
VALUE = json.dumps(
    {"notice": "acknowledgement", "channel": "email", "handed_over_at": "2026-01-01T00:00:00Z"}
).encode()


@dataclass(slots=True)
class Backlog:
    """Intake, built and not started, and an administrator's connection to its outbox."""

    host: Host
    admin: asyncpg.Connection
    empty: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)

    async def put(self, number: int) -> None:
        """Let so many records wait, and nothing else be there."""
        await self.admin.execute("TRUNCATE intake.outbox")
        month = self.host.resources.clock.now().date().replace(day=1)
        await self.admin.copy_records_to_table(
            "outbox",
            schema_name="intake",
            columns=COLUMNS,
            records=[_row(month) for _ in range(number)],
            timeout=600,
        )
        await self.admin.execute("ANALYZE intake.outbox")

    async def rate(self, records: int) -> float:
        """Records a second, until so many more are published."""
        relay, before = self.host.relay, self.host.relay.published
        began = time.perf_counter()
        while relay.published - before < records:
            await relay.turn()
        return (relay.published - before) / (time.perf_counter() - began)


def _row(month: date) -> tuple[object, ...]:
    request_id = new_id()
    key = str(request_id)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_source": "habeas/intake",
        "ce_type": "dsar.intake.notice-sent.v1",
        "ce_subject": key,
        "ce_time": "2026-01-01T00:00:00+00:00",
        "ce_sequence": "1",
        "ce_business": "bench",
        "content-type": "application/json",
    }
    return (month, shard_of(key), JOURNAL_INTAKE.name, key, request_id, 1, json.dumps(headers), VALUE)


async def bench(given: argparse.Namespace) -> dict[str, object]:
    """Both in turn, as often as asked for."""
    async with AsyncExitStack() as rest:
        settings, running = await rest.enter_async_context(servers(given.home.absolute(), "kafka", _say))
        host = await build_host(settings, "intake", rest)
        rest.push_async_callback(host.producer.close)
        admin = await asyncpg.connect(with_database(running.database_url, "habeas"))
        rest.push_async_callback(admin.close)
        backlog = Backlog(host, admin)
        await backlog.put(given.records)
        await backlog.rate(given.records)
        for run in range(1, given.runs + 1):
            await _run(backlog, given, run)
        return {
            "bench": "backlog",
            "backlog": given.backlog,
            "records": given.records,
            "records_per_second_empty": round(median(backlog.empty)),
            "records_per_second_behind": round(median(backlog.behind)),
            "ratio": round(median(backlog.behind) / median(backlog.empty), 2),
            "runs": {
                "empty": [round(one) for one in backlog.empty],
                "behind": [round(one) for one in backlog.behind],
            },
            "machine": await machine.facts(running.broker, admin),
        }


async def _run(backlog: Backlog, given: argparse.Namespace, run: int) -> None:
    await backlog.put(given.records)
    backlog.empty.append(await backlog.rate(given.records))
    await backlog.put(given.backlog)
    backlog.behind.append(await backlog.rate(given.records))
    _say(
        f"run {run}: {backlog.empty[-1]:.0f} a second from an empty outbox, {backlog.behind[-1]:.0f} from a full one"
    )


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure the relay behind a backlog.")
    parser.add_argument("--backlog", type=int, default=200_000, help="records that wait")
    parser.add_argument("--records", type=int, default=10_000, help="records that are timed")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--home", type=Path, default=Path(".habeas/bench"), help="where it lives; emptied")
    parser.add_argument("--page", type=Path, default=None, help="where to write the figures")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    page.keep(asked.page, "The relay behind a backlog", asyncio.run(bench(asked)))
