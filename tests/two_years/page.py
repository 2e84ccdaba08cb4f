"""The page that tells what two simulated years came to."""

import os
import platform
from typing import TYPE_CHECKING

from tests.two_years.calendar_of_trouble import BEGIN, END, Trouble
from tests.two_years.counted import LATE, LATE_VENDOR, SILENT, SILENT_VENDOR

if TYPE_CHECKING:
    from tests.two_years.run import Lived

WORDS = {
    "dsar.intake.submission-refused.v1": "refused at the desk (automated decisions before 2027)",
    "dsar.request.withdrawn.v1": "taken back",
    "dsar.deadline.approaching.v1": "warnings",
    "dsar.deadline.extended.v1": "extensions, by themselves or by an officer",
    "dsar.deadline.missed.v1": "misses stated",
    "dsar.deadline.miss-withdrawn.v1": "misses taken back, since the proof came later",
    LATE: "closed late, and said so",
    SILENT: "people who never proved who they are",
    "dsar.directive.deletion.v1": "directives to a vendor: deletions, reminders among them",
    "dsar.directive.opt-out.v1": "directives to a vendor: opt-outs, reminders among them",
    LATE_VENDOR: "vendors that were done after the day that their directive named",
    SILENT_VENDOR: "vendors that never answered, until a person said so",
    "dsar.fulfillment.task-needs-person.v1": "tasks that waited for a person",
    "dsar.intake.notice-sent.v1": "notices that a mail server took",
    "dsar.intake.notice-failed.v1": "notices that nobody took",
}


def page(found: "Lived", trouble: Trouble, *, seconds: float, processor: float, seed: str) -> str:
    """The whole page; what was counted stands in it as it was counted."""
    verdict = (
        f"All {found.dates:,} dates, instants and words that were compared agree."
        if not found.wrong
        else f"{len(found.wrong)} of {found.dates:,} disagree."
    )
    took = (
        f"It took {seconds:.0f} seconds on {os.cpu_count()} cores that other programs may have used as well, and "
        f"{processor:.0f} seconds of processor time (Python {platform.python_version()}; seed {seed})."
    )
    lines = [
        "# Two simulated years",
        "",
        "Written by `make years`; not by hand. [What it does](../invariants.md#two-years).",
        "",
        f"{found.requests:,} requests between {BEGIN:%Y-%m-%d} and {END:%Y-%m-%d}, every right of the California law. "
        + verdict,
        "",
        took,
        "",
        f"{found.twice:,} of them were lived once more, behind the whole shell over a store in memory: all the same.",
        "",
        *_table("what happened", "times", [(words, found.counts[name]) for name, words in WORDS.items()]),
        *_table("asked", "requests", _named(found, "asked: ")),
        *_table("closed", "requests", _named(found, "closed: ")),
        *_table("tries that were refused", "times", _named(found, "refused: ")),
        "| away | hours in all | outages | times that something waited for it |",
        "|---|---|---|---|",
        *(_away(trouble, found, part) for part in trouble.outages),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _named(found: "Lived", prefix: str) -> list[tuple[str, int]]:
    return sorted(
        (f"`{name.removeprefix(prefix)}`", number)
        for name, number in found.counts.items()
        if name.startswith(prefix)
    )


def _table(left: str, right: str, rows: list[tuple[str, int]] | list[tuple[str, str]]) -> list[str]:
    told = [
        f"| {name} | {value:,} |" if isinstance(value, int) else f"| {name} | {value} |"
        for name, value in rows
    ]
    return [f"| {left} | {right} |", "|---|---|", *told, ""]


def _away(trouble: Trouble, found: "Lived", part: str) -> str:
    spans = trouble.outages[part]
    hours = sum((end - begin).total_seconds() for begin, end in spans) / 3600
    return f"| {part} | {hours:.0f} | {len(spans)} | {found.counts[f'waited for: {part}']:,} |"
