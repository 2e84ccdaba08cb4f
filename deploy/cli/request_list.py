"""The staff's list, read from intake's own tables until there is a console with a read model."""

from pathlib import Path
from typing import Any

import asyncpg

from deploy.cli.request_files import refuse
from services.intake.answers import RequestStatus
from services.intake.storage import IntakeTables
from shared.private_files import KeyFileRefused, read_private
from shared.settings import Settings


async def latest(home: Path, limit: int) -> list[dict[str, Any]]:
    """The requests received last, as their status is told over HTTP; no identity."""
    try:
        url = read_private(Settings(home=home).database_url_file("intake")).decode()
        connection = await asyncpg.connect(url, timeout=10)
    except KeyFileRefused as refusal:
        refuse("--home", str(refusal))
    except (OSError, asyncpg.PostgresError):
        refuse("--home", "intake's database does not answer; start it with: habeas stack up")
    try:
        listed = await IntakeTables(connection).latest(limit)
    finally:
        await connection.close()
    return [RequestStatus.of(one.request_id, one.case).model_dump(mode="json") for one in listed]
