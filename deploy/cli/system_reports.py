"""What `habeas systems check` found, in words and as JSON."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.fulfillment.connected import Connected
    from services.fulfillment.ports import CheckReport

_WORDS = {
    "missing": "is in the map and not in the system: the schema has changed, or the map is misspelt",
    "unmapped": "looks personal and is not in the map: add it, or nobody's request reaches it",
    "no_primary_key": "has no primary key; name one in the map",
    "wrong_type": "is of another type than what the map compares it with",
    "no_transactions": "a deletion could be left half done: convert the table to InnoDB",
    "closed": "is nested in a column that cannot be looked into: make that one of JSON (in PostgreSQL json or jsonb),"
    " or take its fields out of the map and map it as a whole",
    "no_json": "has rows that are no JSON: mend them, or take its fields out of the map and map it as a whole",
    "no_way_out": "and the tables that it leads to must point at each other: let one be null, or defer the constraint",
}


def report_json(system: "Connected", report: "CheckReport") -> dict[str, Any]:
    """What was found of one system, for programs."""
    drift = [{"table": d.table, "column": d.column, "problem": d.problem} for d in report.drift]
    reached = {"reachable": report.reachable, "credentials": report.credentials}
    return {
        "system": system.entry.name,
        "ok": report.ok,
        **reached,
        "drift": drift,
        "notes": _notes(system, report),
    }


def report_lines(system: "Connected", report: "CheckReport") -> list[str]:
    """The same for people."""
    lines = [f"{system.entry.name}: {_state(report)}"]
    lines += [f"  {f'{d.table}.{d.column}'.rstrip('.')}: {_WORDS[d.problem]}" for d in report.drift]
    return [*lines, *(f"  {note}" for note in _notes(system, report))]


def _notes(system: "Connected", report: "CheckReport") -> list[str]:
    """What the system noted; and what its map warns of, which not every kind of system says, nor one that is away."""
    return list(dict.fromkeys((*report.notes, *system.datamap.warnings)))


def _state(report: "CheckReport") -> str:
    if not report.ok:
        return "cannot be used"
    return "ok, but ALARM: not everything that looks personal is in its map" if report.drift else "ok"
