"""What the desk needs to tell somebody by hand: intake's cases, and for the letter itself its keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import asyncpg

from deploy.cli.request_files import refuse, save_package
from services.intake.app import texts_of
from services.intake.domain import IntakeCase
from services.intake.domain.handing_over import waiting
from services.intake.notices.letters import LetterGoneError, Letters
from services.intake.packages import PackageAwayError, PackageGoneError, Packages
from services.intake.settings import IntakeSettings
from services.intake.storage import IntakeTables
from shared.events.commands import RecordHandover
from shared.hosting import Resources, clock_of, open_resources
from shared.policy import load_regime
from shared.private_files import KeyFileRefused, read_private
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Waits:
    """One notice that a person has to give."""

    request_id: UUID
    key: str
    kind: str
    reason: str | None
    case: IntakeCase

    def shown(self) -> dict[str, Any]:
        """For the list: no identity."""
        due = self.case.due if self.kind != "acknowledgement" else None
        clocks = self.case.clocks
        known = due or (clocks.acknowledge_by if clocks and self.kind == "acknowledgement" else None)
        return {
            "request_id": str(self.request_id),
            "notice": self.kind,
            "right": self.case.right,
            "channel": self.case.channel,
            "by": known.date.isoformat() if known else None,
            "why": self.reason,
            "encloses_the_answer": bool(
                self.kind == "answer" and self.case.ending and self.case.ending.package
            ),
        }


async def waiting_letters(home: Path) -> list[Waits]:
    """Everything that waits, the earliest date first."""
    settings = Settings(home=home)
    async with _tables(settings) as tables:
        cases = await tables.with_failed_notices()
    now = clock_of(settings).now()
    found = [
        Waits(request_id, key, notice.kind, notice.reason, case)
        for request_id, case in cases
        for key, notice in waiting(case, now)
    ]
    return sorted(found, key=lambda one: (one.shown()["by"] or "9999", str(one.request_id)))


async def one_waiting(home: Path, request_id: UUID, notice: str | None) -> Waits:
    """The notice that is meant; refuses where that is nobody's guess."""
    found = [
        one
        for one in await waiting_letters(home)
        if one.request_id == request_id and notice in (None, one.kind, one.key)
    ]
    if not found:
        refuse("REQUEST", "nothing of it waits to be told by hand; see: habeas letters list")
    if len(found) > 1:
        kinds = ", ".join(sorted({one.kind for one in found}))
        refuse("--notice", f"several wait; say which one: {kinds}")
    return found[0]


@dataclass(frozen=True, slots=True)
class Handed:
    """How, when and by whom somebody was told, and where that is proved; without a day it was today."""

    by: Literal["letter", "phone", "in_person"]
    on: date | None
    evidence: str
    actor: str


def handover(home: Path, request_id: UUID, notice: str | None, handed: Handed) -> RecordHandover:
    """The command that records it."""
    waits = asyncio.run(one_waiting(home, request_id, notice))
    # Days are counted where the request's law counts them.
    today = clock_of(Settings(home=home)).now().astimezone(load_regime(waits.case.regime).zone).date()
    return RecordHandover(
        notice=waits.key,
        channel=handed.by,
        on=handed.on or today,
        evidence=handed.evidence,
        actor=handed.actor,
    )


async def print_letter(
    home: Path, request_id: UUID, notice: str | None, to: Path, answer_to: Path | None
) -> tuple[Path, Path | None]:
    """Write the letter and, where there is one, the archive that it encloses."""
    waits = await one_waiting(home, request_id, notice)
    async with AsyncExitStack() as stack:
        try:
            resources = await open_resources(Settings(home=home), "intake", stack)
        except KeyFileRefused as refusal:
            refuse("--home", str(refusal))
        tables = IntakeTables(resources.pool)
        letter = await tables.planned(request_id, waits.key)
        if letter is None:
            refuse("REQUEST", "what it was to be told is not known any more")
        letters = Letters(tables, resources.vault, texts_of(resources, IntakeSettings()), resources.clock)
        try:
            content = await letters.to_post(request_id, waits.key, letter)
            archive = await _archive(resources, waits)
        except (LetterGoneError, PackageGoneError):
            refuse("REQUEST", "its key was destroyed: nothing can be opened any more")
        except PackageAwayError:
            refuse(
                "REQUEST",
                "its archive is missing or damaged in the packages folder; tell who runs the service",
            )
    save_package(to, content)
    place = answer_to or to.with_suffix(".zip")
    if archive is not None:
        save_package(place, archive)
    return to, place if archive is not None else None


async def _archive(resources: Resources, waits: Waits) -> bytes | None:
    ending = waits.case.ending
    if waits.kind != "answer" or ending is None or ending.package is None:
        return None
    packages = Packages(resources.settings.packages_folder, resources.vault)
    return await (await packages.open(waits.request_id, ending.package)).whole()


@asynccontextmanager
async def _tables(settings: Settings) -> AsyncIterator[IntakeTables]:
    try:
        url = read_private(settings.database_url_file("intake")).decode()
        connection = await asyncpg.connect(url, timeout=10)
    except KeyFileRefused as refusal:
        refuse("--home", str(refusal))
    except (OSError, asyncpg.PostgresError):
        refuse("--home", "intake's database does not answer; start it with: habeas stack up")
    try:
        yield IntakeTables(connection)
    finally:
        await connection.close()
