"""From a connector file to one that can be used with a system's map: every problem by file, key and remedy."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from services.fulfillment.adapters.http.connector import Change, CollectionSpec, Connector, Derived, Request
from services.fulfillment.adapters.http.expressions import problems_of
from services.fulfillment.datamap.disputes import corrigible
from services.fulfillment.datamap.flags import FLAG_RIGHTS, flag_of
from services.fulfillment.datamap.graph import plan_walk
from services.fulfillment.datamap.model import DataMap, MapCollection, MapError
from services.fulfillment.datamap.remedies import first_line
from services.fulfillment.datamap.systems import System
from shared.policy.reading import read_yaml


def read_connector(system: System) -> Connector:
    """The system's connector, checked by itself and against the map.

    Raises:
        MapError: it cannot be used; every problem names file and key.
    """
    if system.connector is None:
        raise MapError(
            (f"{system.system}: connector: is needed for the kind http; name a file of connectors",)
        )
    connector = load_connector(system.connector)
    problems = [*_missing(system, connector), *_against(system.datamap, connector)]
    if problems:
        raise MapError(tuple(f"{system.connector}: {problem}" for problem in problems))
    return connector


def load_connector(file: Path) -> Connector:
    """One connector file by itself.

    Raises:
        MapError: it is not YAML, has unknown keys, or templates or paths that cannot be read.
    """
    try:
        connector = Connector.model_validate(read_yaml(file.read_bytes()))
    except FileNotFoundError:
        raise MapError((f"{file}: there is no such file",)) from None
    except yaml.YAMLError as error:
        raise MapError((f"{file}: not readable as YAML: {first_line(error)}",)) from None
    except ValidationError as error:
        raise MapError(tuple(_said(file, each) for each in error.errors(include_input=False))) from None
    if problems := tuple(f"{file}: {problem}" for problem in problems_of(connector)):
        raise MapError(problems)
    return connector


def _said(file: Path, error: Mapping[str, Any]) -> str:
    place = ".".join(map(str, error["loc"])) or "connector"
    if error["type"] == "extra_forbidden":
        return f"{file}: {place}: unknown key; {_remedy(error['loc'])}"
    return f"{file}: {place}: {error['msg']}"


def _remedy(loc: tuple[int | str, ...]) -> str:
    """The keys that stand there, for most unknown keys are misspelt ones."""
    model: type[BaseModel] = Connector
    for step in loc[:-1]:
        model = _MODELS.get(str(step), model)
    known = (field.alias or name for name, field in model.model_fields.items())
    return f"known here: {', '.join(known)}"


_MODELS: dict[str, type[BaseModel]] = {
    "collections": CollectionSpec,
    "request": Request,
    "poll": Request,
    "delete": Change,
    "update": Change,
    "opt_out": Change,
    "limit": Change,
    "correct": Change,
}


def _missing(system: System, connector: Connector) -> Iterator[str]:
    """What the system file must say for this connector."""
    for name in sorted(connector.secrets() - set(system.secrets)):
        yield f"auth: the system file {system.system} names no secret {name!r}; add it under `secrets`"
    for name, meaning in connector.settings.items():
        if name not in system.settings:
            yield f"settings.{name}: the system file {system.system} does not say it: {meaning}"
    for name in sorted(set(system.secrets) - connector.secrets()):
        yield f"secrets: {name!r} of the system file {system.system} is unknown to this connector"
    for name in sorted(set(system.settings) - set(connector.settings)):
        yield f"settings: {name!r} of the system file {system.system} is unknown to this connector"
    if system.url is None and connector.base_url is None:
        yield "base_url: neither the connector nor the system file's url says where the system is"


def _against(datamap: DataMap, connector: Connector) -> Iterator[str]:
    for name, collection in datamap.collections.items():
        spec = connector.collections.get(name)
        if spec is None:
            yield f"collections: the map's {name} is missing; say how it is reached, or take it from the map"
        else:
            yield from (f"collections.{name}.{problem}" for problem in _collection(collection, spec))
    for name in sorted(set(connector.collections) - set(datamap.collections)):
        yield f"collections.{name}: is not in the map; add it there, or take it from here"
    if all(name in connector.collections for name in datamap.collections):
        yield from _walk(datamap, connector)


def _collection(collection: MapCollection, spec: CollectionSpec) -> Iterator[str]:
    yield from _ways(collection, spec)
    yield from _corrections(collection, spec)
    unknown = {*spec.fields, *spec.find} - set(collection.fields)
    yield from (f"fields.{name}: the map has no such column" for name in sorted(unknown))
    if not collection.primary_key:
        yield "fields: the map names no primary key, so no row can be frozen; mark one `primary_key: true`"
    if len(collection.primary_key) > 1 and _batches(spec):
        yield "many: rows with a key of several columns are asked for one by one"


def _ways(collection: MapCollection, spec: CollectionSpec) -> Iterator[str]:
    """A way for everything that the map wants done."""
    if collection.treatment == "erase" and spec.delete is None:
        yield "delete: the map erases these rows; say how"
    if collection.treatment == "deidentify" and spec.update is None:
        yield "update: the map de-identifies these rows; say how they are changed"
    for right in sorted(FLAG_RIGHTS):
        if flag_of(collection, right) and not (getattr(spec, right) or spec.update):
            yield f"{right}: the map has a flag for it; say how it is set, here or under update"
    if spec.read is None and collection.treatment in {"deidentify", "retain"}:
        yield "read: rows that stay must be readable by their key"


def _corrections(collection: MapCollection, spec: CollectionSpec) -> Iterator[str]:
    """What the map lets be corrected can be set, and read back."""
    if not corrigible(collection):
        return
    if not (spec.correct or spec.update):
        yield "correct: the map lets columns be corrected; say how, here or under update"
    if spec.read is None:
        yield "read: what is corrected must be readable, or nobody knows whether it stands"


def _batches(spec: CollectionSpec) -> bool:
    changes = (spec.delete, spec.update, spec.opt_out, spec.limit, spec.correct)
    return any(each is not None and each.many > 1 for each in (spec.read, *changes))


def _walk(datamap: DataMap, connector: Connector) -> Iterator[str]:
    """Every step of the walk must be one that the system can be asked to take."""
    plan = plan_walk(datamap, {kind for kind, _ in datamap.identities()})
    for seed in plan.seeds:
        spec = connector.collections[seed.place.collection]
        if seed.place.field not in spec.find:
            yield f"collections.{seed.place.collection}.find.{seed.place.field}: the map looks here for {seed.kind}"
    for edge in plan.edges:
        spec, key = connector.collections[edge.target], datamap.collections[edge.target].primary_key
        askable = {name for name, each in spec.find.items() if not isinstance(each, Derived)}
        askable |= set(key) if spec.read is not None and len(key) == 1 else set()
        columns = [column for _, column in edge.pairs]
        if not askable & set(columns):
            yield f"collections.{edge.target}.find.{columns[0]}: the map walks here from {edge.source}; say how"
