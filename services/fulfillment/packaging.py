"""The package task: the systems' parts become one answer, sealed under the request's key and filed.

A categories answer lists what Civ. Code 1798.110, .115 and .130(a)(3)-(4) ask for, individualised by what is held
(11 CCR 7024(j)-(l)): what was sold or shared and what was disclosed for a business purpose are two lists.
Values that 11 CCR 7024(d) forbids to show are described by kind and count.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from services.fulfillment import results
from services.fulfillment.answer_files import AnswerFiles, package_id_of
from services.fulfillment.datamap.statutory import WORDS
from shared.clock import Clock
from shared.events.fulfillment import PackageReference
from shared.tasks.work import Answer, Calling, Claimed, Finished
from shared.vault.vault import Vault

Json = dict[str, Any]
FORMAT = "habeas-answer/1"


class PackageHandler:
    """Composes one JSON document."""

    def __init__(self, vault: Vault, files: AnswerFiles, clock: Clock) -> None:
        self._vault = vault
        self._files = files
        self._clock = clock

    async def run(self, task: Claimed, calling: Calling) -> Answer:
        """Open the parts, compose, seal, file; a repeat makes a file of its own."""
        del calling
        await self._vault.prefetch([task.request_id])
        parts = [await self._part(task.request_id, UUID(part["part_id"])) for part in task.body["parts"]]
        exports = [part for part in parts if part is not None]
        if len(exports) < len(parts):
            return results.person("schema", "a part of the answer is missing in the packages folder")
        about = {
            "format": FORMAT,
            "request_id": str(task.request_id),
            "business": task.body["business"],
            "right": task.body["right"],
            "composed_at": self._clock.now().isoformat(),
        }
        return await self._file(task, {**about, **compose(exports)})

    async def _part(self, request_id: UUID, part_id: UUID) -> Json | None:
        sealed = await self._files.read_part(part_id)
        if sealed is None:
            return None
        plain = self._vault.open(request_id, part_id, "export", sealed.decode())
        export: Json = json.loads(plain)
        return export

    async def _file(self, task: Claimed, document: Json) -> Answer:
        package_id = package_id_of(task.task_id, task.epoch)
        plain = json.dumps(document, ensure_ascii=False, indent=1).encode()
        sealed = self._vault.seal(task.request_id, package_id, "package", plain).encode()
        await self._files.write_package(package_id, sealed)
        digest = sha256(sealed).hexdigest()
        reference = PackageReference(package_id=package_id, sha256=digest, size=len(sealed))
        return Finished("done", {"package": reference.model_dump(mode="json")})


def compose(exports: Sequence[Json]) -> Json:
    """The body of an answer: the categories over all systems, what is withheld, and each system's rows."""
    held = [category for export in exports for category in export["categories"]]
    return {
        "categories": {
            "collected": [_named(name) for name in sorted({each["category"] for each in held})],
            "sources": _union(held, "sources"),
            "purposes": _union(held, "purposes"),
            "third_parties_disclosed_to": sorted(
                {*_union(held, "disclosed_to"), *_union(held, "sold_or_shared_to")}
            ),
            "sold_or_shared": _by_category(held, "sold_or_shared_to"),
            "disclosed_for_a_business_purpose": _by_category(held, "disclosed_to"),
        },
        "held_but_not_shown": [_described(export, data, each) for export, data, each in _withheld(exports)],
        "systems": [_system(export) for export in exports],
    }


def _system(export: Json) -> Json:
    return {
        "system": export["system"],
        "categories": [{**each, **_named(each["category"])} for each in export["categories"]],
        "datasets": [
            {"dataset": data["dataset"], "by_category": _rows_by_category(data)}
            for data in export["datasets"]
        ],
    }


def _rows_by_category(data: Json) -> Json:
    """Each row's values under the statutory category of their column; the rest stands under `other`."""
    names = {column: data["categories"].get(column, "other") for row in data["rows"] for column in row}
    return {
        name: [
            {column: value for column, value in row.items() if names[column] == name} for row in data["rows"]
        ]
        for name in sorted(set(names.values()))
    }


def _named(category: str) -> dict[str, str]:
    return {"category": category, "words": dict[str, str](**WORDS).get(category, category)}


def _union(held: Iterable[Json], key: str) -> list[str]:
    return sorted({word for each in held for word in each[key]})


def _by_category(held: Sequence[Json], key: str) -> list[Json]:
    to: dict[str, set[str]] = {}
    for each in held:
        if each[key]:
            to.setdefault(each["category"], set()).update(each[key])
    return [{**_named(name), "recipients": sorted(recipients)} for name, recipients in sorted(to.items())]


def _withheld(exports: Iterable[Json]) -> Iterable[tuple[Json, Json, Mapping[str, Any]]]:
    return (
        (export, data, each) for export in exports for data in export["datasets"] for each in data["withheld"]
    )


def _described(export: Json, data: Json, withheld: Mapping[str, Any]) -> Json:
    """With particularity, but without the value (11 CCR 7024(d))."""
    return {
        "system": export["system"],
        "dataset": data["dataset"],
        "kind": withheld["kind"],
        "words": f"a {withheld['kind'].replace('_', ' ')} is held",
        "count": withheld["count"],
    }
