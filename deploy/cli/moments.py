"""How the commands tell people a time; programs get it as it stands, with `--json`."""

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """An aware time to the second, in UTC: `2026-01-15 18:00:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
