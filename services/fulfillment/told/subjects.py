"""Whom such a system is told of: the identifiers themselves are what an act is bound to, sealed like row keys."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.fulfillment.datamap.model import DataMap
from services.fulfillment.datamap.systems import System
from services.fulfillment.datamap.unknown import unknown_names
from services.fulfillment.ports import DatasetCount, Frozen, Receipt, Subject
from shared.canonical import canonical_json, sha256_hex
from shared.policy.rights import Right

TOLD = frozenset({"email", "files", "opendsr", "webhook"})
"""The kinds that are told: what they do for other rights than those that their file names is not known to us."""

POSSIBLE = frozenset({Right.DELETE, Right.OPT_OUT, Right.LIMIT})
GIVES_COPIES = frozenset({Right.KNOW_SPECIFIC})
"""What OpenDSR alone of these can be asked for beside: a copy of what the system holds."""

RIGHTS = "rights"


def rights_told(system: System) -> frozenset[Right]:
    """The rights that the system's file names, deletion alone if it names none."""
    stated = str(system.settings.get(RIGHTS, Right.DELETE))
    known = {right.value: right for right in _possible(system)}
    return frozenset(known[word.strip()] for word in stated.split(",") if word.strip() in known)


def _possible(system: System) -> frozenset[Right]:
    return POSSIBLE | GIVES_COPIES if system.kind == "opendsr" else POSSIBLE


def problems_of(system: System, *, settings: frozenset[str], secrets: frozenset[str]) -> tuple[str, ...]:
    """What is wrong with a system file of such a kind."""
    words = {word.strip() for word in str(system.settings.get(RIGHTS, Right.DELETE)).split(",")}
    known = sorted(right.value for right in _possible(system))
    told = ", ".join(known)
    found = [
        f"settings.rights: {word!r} cannot be told; known: {told}" for word in sorted(words - set(known))
    ]
    found += unknown_names(system, settings=settings | {RIGHTS}, secrets=secrets)
    if system.url is None:
        found.append("url: is needed")
    return tuple(f"{system.system}: {problem}" for problem in found)


def known_by(system: System, kinds: Collection[str]) -> list[dict[str, str]]:
    """A person of whom only the kinds of identifiers are known, as such a system is told; nobody if it knows none."""
    known = sorted({kind for kind, _ in system.datamap.identities()} & set(kinds))
    return [{kind: f":{kind}" for kind in known}] if known else []


def whom(datamap: DataMap, subject: Subject) -> Frozen:
    """The subject by the identifiers that the map names; nobody where none of them is known."""
    rows: dict[str, tuple[tuple[str], ...]] = {}
    for name, collection in datamap.collections.items():
        kinds = {field.identity for field in collection.fields.values() if field.identity}
        known = {kind: value for kind, value in subject.seeds.items() if kind in kinds}
        if known:
            rows[name] = ((canonical_json(known).decode(),),)
    return Frozen(rows)


def identifiers(frozen: Frozen) -> Sequence[Mapping[str, str]]:
    """The same, as they are told; each person once."""
    texts = sorted({str(key[0]) for keys in frozen.rows.values() for key in keys})
    return [json.loads(text) for text in texts]


def order_id(right: str, frozen: Frozen, cut_off: datetime) -> UUID:
    """The same for the same order, so that it is never given twice; shaped as a random UUID, which some want."""
    digest = sha256_hex(canonical_json([right, frozen.digest(), cut_off.isoformat()]))
    return UUID(bytes=bytes.fromhex(digest)[:16], version=4)


def receipt(system: System, frozen: Frozen, times: tuple[datetime, datetime]) -> Receipt:
    """That the system was told, of so many; what it did is its own to count."""
    performed_at, cut_off = times
    counts = tuple(DatasetCount(name) for name in sorted(frozen.rows))
    return Receipt(system.system, counts, performed_at=performed_at, cut_off=cut_off).sealed()
