"""Made-up persons whose traces are searched for wherever they must not be."""

import re
from dataclasses import dataclass

from shared.events.topics import SERVICES
from tests.support.running import Running

_SEEN = re.compile(b"kanarie[0-9]{4}|" + b"kanarie".hex().encode() + b"(?:3[0-9]){4}")
_TEXT = "SELECT row_to_json(t)::text FROM {schema}.{table} t"


@dataclass
class Canaries:
    """Gives out words that stand nowhere else, and finds them again in any form."""

    planted: int = 0

    def word(self) -> str:
        """A word of a made-up person: part of a name, an address or a number."""
        self.planted += 1
        return f"kanarie{self.planted:04d}vogel"

    def email(self) -> str:
        return f"{self.word()}@example.com"

    def seen_in(self, content: bytes) -> list[str]:
        """Those that stand in it, in clear or as PostgreSQL prints bytes."""
        return sorted({found.decode() for found in _SEEN.findall(content.lower())})


async def places_that_show(running: Running, canaries: Canaries) -> list[str]:
    """Every topic, log, metric and table in which a canary stands, with the canary."""
    shown = [(one.topic, one.everything()) for one in running.tape.records]
    shown.append(("the logs", running.logs()))
    for service in SERVICES:
        answer = await running.http.get(f"{running.services.url(service)}/metrics")
        shown.append((f"the metrics of {service}", answer.content))
    shown += await _tables(running)
    return sorted({f"{place}: {word}" for place, content in shown for word in canaries.seen_in(content)})


async def _tables(running: Running) -> list[tuple[str, bytes]]:
    async with running.installation.admin() as connection:
        tables = await connection.fetch(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema = ANY($1) AND table_type = 'BASE TABLE'",
            list(SERVICES),
        )
        found = []
        for schema, table in tables:
            rows = await connection.fetch(_TEXT.format(schema=schema, table=table))
            found.append((f"{schema}.{table}", "\n".join(row[0] for row in rows).encode()))
        return found
