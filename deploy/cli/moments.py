"""How the commands tell people a time; programs get it as it stands, with `--json`."""

from datetime import UTC, datetime


def moment(at: datetime | str) -> str:
    """An aware time to the second, in UTC: `2026-01-15 18:00:00 UTC`; a text is a time as a service's JSON has it."""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{known.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
