"""Every described system, ready for use: with what the rules know of it, its adapter, and its lane."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from services.fulfillment.bulk import gathered
from services.fulfillment.callbacks import ReceivesCallbacks
from services.fulfillment.connected import (
    TO_KNOW,
    Connected,
    categories_of,
    kinds_found_by,
    kinds_known,
    rights_of,
)
from services.fulfillment.datamap.folder import read_systems
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System
from services.fulfillment.domain import SystemEntry
from services.fulfillment.lanes import Lane, Watched
from services.fulfillment.ports import Adapter
from services.fulfillment.told.subjects import TOLD, rights_told
from shared.clock import Clock


def connect(folder: Path, home: Path, clock: Clock) -> tuple[Connected, ...]:
    """Every system of a folder with its adapter; nothing is connected until it is asked something.

    Raises:
        MapError: a system cannot be used; all that is wrong in all of them is said at once.
    """
    connected, problems = connectable(folder, home, clock)
    if problems:
        raise MapError(problems)
    return connected


def connectable(folder: Path, home: Path, clock: Clock) -> tuple[tuple[Connected, ...], tuple[str, ...]]:
    """Those systems of a folder that can be used, with their adapters, and what is wrong with the others."""
    systems, wrong = read_systems(folder, home=home)
    if not systems and not wrong:
        # Without systems every request would be answered with "nothing found", which would be untrue.
        wrong = (f"{folder}: no system is described here; set HABEAS_FULFILLMENT_SYSTEMS",)
    connected, problems = list[Connected](), list(wrong)
    for system in systems:
        try:
            connected.append(_connected(system, clock))
        except MapError as error:
            problems += error.problems
    return tuple(connected), tuple(problems)


def _connected(system: System, clock: Clock) -> Connected:
    lane, adapter = Lane(system.limits), adapter_of(system, clock)
    days = system.backups.kept_days if system.backups else None
    can, known = adapter.capabilities, entry_of(system)
    # Where nobody can be looked up, everybody who asks would be told that something is held.
    rights = known.rights if can.looks_up else known.rights - TO_KNOW
    entry = replace(known, proves=can.verify, rights=rights)
    words = system.words()
    heard = receiver_of(system, clock)
    return Connected(entry, system.datamap, Watched(gathered(adapter), lane), lane, days, words, heard)


def entry_of(system: System) -> SystemEntry:
    """What the rules know of a system."""
    return SystemEntry(
        name=system.system,
        business=system.business,
        rights=rights_told(system) if system.kind in TOLD else rights_of(system.datamap),
        finds_by=kinds_found_by(system.datamap),
        knows=kinds_known(system.datamap),
        identity_source=system.identity_source,
        order=system.order,
        title=system.title,
        categories=categories_of(system.datamap),
        titles=system.titles,
    )


def adapter_of(system: System, clock: Clock) -> Adapter:
    """The adapter itself, without a lane: `kind` is the module's name; each has an `open_adapter`."""
    module = import_module(f"services.fulfillment.adapters.{system.kind}")
    open_adapter: Callable[[System, Clock], Adapter] = module.open_adapter
    return open_adapter(system, clock)


def receiver_of(system: System, clock: Clock) -> ReceivesCallbacks | None:
    """Who takes in what the system says by itself; None for a kind that does not, or is not asked to."""
    module = import_module(f"services.fulfillment.adapters.{system.kind}")
    open_callbacks: Callable[[System, Clock], ReceivesCallbacks | None] | None
    open_callbacks = getattr(module, "open_callbacks", None)
    return None if open_callbacks is None else open_callbacks(system, clock)
