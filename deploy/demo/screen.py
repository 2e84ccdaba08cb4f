"""The live table: every request, where it stands, what was said to the person."""

from collections import Counter
from collections.abc import Iterable

from rich.table import Table

from deploy.demo.watch import Seen

COLOURS = {
    "arriving": "white",
    "verifying": "yellow",
    "in systems": "cyan",
    "answering": "blue",
    "closed": "green",
}
ROWS = 45


def table(seen: Iterable[Seen], *, title: str) -> Table:
    """One line for each request; above `ROWS` only those that are not closed, and a line with the counts."""
    everybody = sorted(seen, key=lambda one: str(one.request_id))
    shown = everybody if len(everybody) <= ROWS else [one for one in everybody if one.closed is None][:ROWS]
    view = Table(
        title=title, title_justify="left", caption=_counts(everybody), caption_justify="left", expand=False
    )
    for heading in ("request", "right", "came by", "stands", "verified", "systems", "ended", "told"):
        view.add_column(heading, no_wrap=True)
    for one in shown:
        view.add_row(*_row(one))
    return view


def _row(one: Seen) -> tuple[str, ...]:
    ended = one.resolution + (" (extended)" if one.extended else "")
    return (
        str(one.request_id)[:8],
        one.right,
        one.channel,
        f"[{COLOURS[one.state]}]{one.state}[/]",
        one.verified,
        " ".join(sorted(system.rpartition("-")[2] for system in one.settled)),
        ended,
        ", ".join(one.notices),
    )


def _counts(seen: list[Seen]) -> str:
    numbers = Counter(one.state for one in seen)
    return "   ".join(f"{state} {numbers[state]}" for state in COLOURS if numbers[state])
