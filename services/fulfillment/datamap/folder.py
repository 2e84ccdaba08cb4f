"""A folder of system files, read as one: what can be used, and all that is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from services.fulfillment.datamap.between import lost, waiting
from services.fulfillment.datamap.model import MapError
from services.fulfillment.datamap.systems import System, load_system


def load_systems(folder: Path, *, home: Path) -> tuple[System, ...]:
    """Load every system of a folder, in their order; MapError lists all that is wrong in all of them."""
    systems, problems = read_systems(folder, home=home)
    if problems:
        raise MapError(problems)
    return systems


def read_systems(folder: Path, *, home: Path) -> tuple[tuple[System, ...], tuple[str, ...]]:
    """The systems of a folder whose files are right, in their order, and what is wrong with the others.

    What refers to another system is judged only where every file can be read: it may be in the one that cannot.
    """
    systems: list[System] = []
    problems: list[str] = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            systems.append(load_system(file, home=home))
        except MapError as error:
            problems += error.problems
    if not problems:
        problems += lost([system.datamap for system in systems])
    problems += _twice(folder, [system.system for system in systems])
    ordered = sorted(_warned(systems), key=lambda system: (system.order, system.system))
    return tuple(ordered), tuple(dict.fromkeys(problems))


def _twice(folder: Path, names: Sequence[str]) -> list[str]:
    return [f"{folder}: the system {name} is there twice" for name in sorted(names) if names.count(name) > 1]


def _warned(systems: Sequence[System]) -> list[System]:
    """Each with what is missing to its references beside its own warnings."""
    said = waiting([system.datamap for system in systems])
    found = []
    for system in systems:
        more = (f"{system.dataset}: {each}" for each in said.get(system.datamap.key, ()))
        datamap = replace(system.datamap, warnings=(*system.datamap.warnings, *more))
        found.append(system.model_copy(update={"datamap": datamap}))
    return found
