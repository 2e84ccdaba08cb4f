"""From a Fideslang dataset file to a checked map: every problem is found, and named by file and place."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from fideslang.models import Dataset, DatasetCollection, DatasetField, EdgeDirection
from pydantic import ValidationError

from services.fulfillment.datamap.additions import (
    Addition,
    CollectionAdditions,
    DatasetAdditions,
    Deidentify,
    FieldAdditions,
    Handling,
    Match,
)
from services.fulfillment.datamap.crosschecks import problems_of, settle_treatments, warnings_of
from services.fulfillment.datamap.model import (
    DataMap,
    Direction,
    MapCollection,
    MapError,
    MapField,
    Place,
    Provenance,
    Reference,
)
from services.fulfillment.datamap.nesting import (
    Steps,
    columns_of,
    field_at,
    nested_problems,
    nested_warnings,
    written_columns,
)
from services.fulfillment.datamap.remedies import worded
from services.fulfillment.datamap.statutory import is_personal, statutory_category, withheld_kind
from services.fulfillment.datamap.strictness import fides_meta, unknown_categories, unknown_keys
from services.fulfillment.datamap.translating import lacking_words

A = TypeVar("A", bound=Addition)

# Fides' own masking strategies that mean one of ours.
_FIDES_STRATEGIES: dict[str, str] = {
    "null_rewrite": "set_null",
    "string_rewrite": "constant",
    "hmac": "keyed_hash",
    "hash": "keyed_hash",
    "random_string_rewrite": "random",
}
_DEFAULT_MATCH: dict[str, Match] = {"email": "lower", "phone": "digits", "phone_number": "digits"}


def read_dataset(content: object, *, file: str, nested: bool = False) -> DataMap:
    """Make the map, or raise MapError with all that is wrong.

    In systems that look into documents, a `nested` field is a column of its own, called by its path.
    """
    raw = _one_dataset(content, file)
    unknown = tuple(
        f"{file}: {place or 'dataset'}: unknown key {key!r}; {remedy}"
        for place, key, remedy in unknown_keys(raw)
    )
    if unknown:
        raise MapError(unknown)
    try:
        dataset = Dataset(**raw)
    except ValidationError as error:
        raise MapError(_said(error, file, raw)) from None
    datamap = settle_treatments(_Reader(file, raw, nested=nested).read(dataset))
    unread = nested_problems(raw) if nested else ()
    if problems := tuple(f"{file}: {problem}" for problem in (*problems_of(datamap), *unread)):
        raise MapError(problems)
    closed = () if nested else nested_warnings(dataset)
    warnings = [*warnings_of(datamap), *unknown_categories(raw), *closed, *lacking_words(datamap)]
    return replace(datamap, warnings=tuple(f"{file}: {warning}" for warning in warnings))


def _one_dataset(content: object, file: str) -> Mapping[str, Any]:
    """A Fides file lists its datasets under `dataset`; a system of ours has exactly one."""
    inner = content.get("dataset", content) if isinstance(content, Mapping) else content
    if isinstance(inner, list) and len(inner) == 1:
        inner = inner[0]
    if not isinstance(inner, Mapping):
        raise MapError((f"{file}: expected one Fideslang dataset",))
    return inner


def _said(error: ValidationError, file: str, raw: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{file}: {_named(each['loc'], raw)}: {each['msg']}" for each in error.errors())


def _named(loc: tuple[int | str, ...], raw: Any) -> str:
    """A list position says little: put the item's name there."""
    names: list[str] = []
    for step in loc:
        raw = raw[step] if _can_step(raw, step) else None
        named = isinstance(step, int) and isinstance(raw, Mapping) and "name" in raw
        names.append(str(raw["name"]) if named and raw else str(step))
    return ".".join(names) or "dataset"


def _can_step(raw: Any, step: int | str) -> bool:
    if isinstance(raw, list):
        return isinstance(step, int) and step < len(raw)
    return isinstance(raw, Mapping) and step in raw


class _Reader:
    """Reads one dataset, collecting every problem of its additions before it gives up."""

    def __init__(self, file: str, raw: Mapping[str, Any], *, nested: bool) -> None:
        self._file = file
        self._raw = raw
        self._nested = nested
        self._problems: list[str] = []

    def read(self, dataset: Dataset) -> DataMap:
        said = self._additions(DatasetAdditions, (dataset.meta or {}).get("habeas"), "meta")
        shared = (tuple(dataset.data_categories or ()), _provenance(said, Provenance()))
        collections = {c.name: self._collection(c, shared) for c in dataset.collections}
        references = tuple(self._references(dataset))
        if self._problems:
            raise MapError(tuple(f"{self._file}: {problem}" for problem in self._problems))
        namespace = (dataset.fides_meta.namespace if dataset.fides_meta else None) or {}
        schema = namespace.get("schema")
        return DataMap(dataset.fides_key, collections, references, schema, words=said.words)

    def _collection(
        self, collection: DatasetCollection, shared: tuple[tuple[str, ...], Provenance]
    ) -> MapCollection:
        place = f"collections.{collection.name}"
        said = self._additions(CollectionAdditions, self._raw_meta(collection.name), f"{place}.fides_meta")
        categories = (*shared[0], *(collection.data_categories or ()))
        inherited = _provenance(said, shared[1])
        fields = {
            ".".join(steps): self._field(collection.name, (steps, field), categories, inherited)
            for steps, field in self._columns(collection)
        }
        if said.category:
            fields = {name: replace(f, category=f.category or said.category) for name, f in fields.items()}
        return MapCollection(
            name=collection.name,
            fields=fields,
            treatment=_first_guess(said, fields, categories),
            personal=said.personal,
            created_at=said.created_at,
            retention=said.retention,
            opt_out=said.opt_out,
            limit=said.limit,
            where=said.where,
            max_matches=said.max_matches,
            erase_after=_names(collection),
        )

    def _field(
        self,
        collection: str,
        named: tuple[Steps, DatasetField],
        categories: tuple[str, ...],
        inherited: Provenance,
    ) -> MapField:
        steps, field = named
        place = f"collections.{collection}.fields.{'.'.join(steps)}"
        said = self._additions(FieldAdditions, self._raw_meta(collection, steps), f"{place}.fides_meta")
        own = (*categories, *self._categories(collection, named))
        meta = field.fides_meta
        identity = meta.identity if meta else None
        return MapField(
            name=".".join(steps),
            steps=steps if len(steps) > 1 else (),
            primary_key=bool(meta and meta.primary_key),
            identity=identity or _foreign_identity(field, self._raw["fides_key"]),
            match=said.match or _DEFAULT_MATCH.get(identity or "", "exact"),
            personal=is_personal(own),
            category=said.category or statutory_category(own),
            withheld=said.withheld or withheld_kind(own),
            cleared=said.shown_because is not None,
            retention=said.retention,
            deidentify=said.deidentify or self._fides_strategy(field, place),
            length=meta.length if meta else None,
            read_only=bool(meta and meta.read_only),
            corrected_as=said.corrected_as,
            provenance=_provenance(said, inherited),
        )

    def _references(self, dataset: Dataset) -> Iterator[Reference]:
        for collection in dataset.collections:
            for steps, field in self._columns(collection):
                for each in (field.fides_meta and field.fides_meta.references) or ():
                    if each.dataset == dataset.fides_key:
                        holder = Place(collection.name, ".".join(steps))
                        yield Reference(holder, Place(*_split(each.field)), _direction(each.direction))

    def _fides_strategy(self, field: DatasetField, place: str) -> Deidentify | None:
        override = field.fides_meta.masking_strategy_override if field.fides_meta else None
        if override is None:
            return None
        if (ours := _FIDES_STRATEGIES.get(override.strategy)) is None:
            self._problems.append(
                f"{place}.masking_strategy_override: unknown strategy {override.strategy!r}"
            )
            return None
        value = (override.configuration or {}).get("rewrite_value")
        return Deidentify.model_validate({"strategy": ours, "value": value})

    def _additions(self, model: type[A], raw: object, place: str) -> A:
        try:
            return model.model_validate(raw or {})
        except ValidationError as error:
            self._problems += [_problem(place, each["loc"], worded(each, model)) for each in error.errors()]
            return model()

    def _columns(self, collection: DatasetCollection) -> list[tuple[Steps, DatasetField]]:
        """Each column with its field, as the map's author wrote them: Fideslang sorts, an answer must not."""
        fields = {steps: field for each in collection.fields for steps, field in columns_of(each)}
        written = written_columns(self._node(collection.name), nested=self._nested)
        return [(steps, fields[steps]) for steps in written]

    def _node(self, collection: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(
            each for each in self._raw["collections"] if each["name"] == collection
        )
        return found

    def _categories(self, collection: str, named: tuple[Steps, DatasetField]) -> tuple[str, ...]:
        """What is said of a whole counts for those of its parts of which nothing is said."""
        steps, field = named
        node = self._node(collection)
        return _all_categories(field) or tuple(
            category
            for length in range(1, len(steps))
            for category in field_at(node, steps[:length]).get("data_categories") or ()
        )

    def _raw_meta(self, collection: str, steps: Steps = ()) -> object:
        return fides_meta(field_at(self._node(collection), steps)).get("habeas")


def _problem(place: str, loc: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join([place, 'habeas', *map(str, loc)])}: {message}"


def _provenance(said: Handling, inherited: Provenance) -> Provenance:
    """The nearest word wins: a column's over its table's over the dataset's."""
    return Provenance(
        source=said.source or inherited.source,
        purpose=said.purpose or inherited.purpose,
        disclosed_to=inherited.disclosed_to if said.disclosed_to is None else said.disclosed_to,
        sold_or_shared_to=inherited.sold_or_shared_to
        if said.sold_or_shared_to is None
        else said.sold_or_shared_to,
        kept_for=said.kept_for or inherited.kept_for,
    )


def _first_guess(said: CollectionAdditions, fields: Mapping[str, MapField], own: tuple[str, ...]) -> Any:
    """What happens to the rows; whether an impersonal table belongs to a person is settled afterwards."""
    if any(field.deidentify and not field.read_only for field in fields.values()):
        return "deidentify"
    if said.retention:
        return "retain"
    personal = is_personal(own) or any(field.personal for field in fields.values())
    return "erase" if (personal if said.personal is None else said.personal) else "keep"


def _all_categories(field: DatasetField) -> tuple[str, ...]:
    """A nested field's categories count for the column that holds it."""
    nested = (category for inner in field.fields or () for category in _all_categories(inner))
    return (*(field.data_categories or ()), *nested)


def _foreign_identity(field: DatasetField, dataset: str) -> str | None:
    """A reference into another system's dataset is an identity seed of that name."""
    references = (field.fides_meta and field.fides_meta.references) or ()
    return next((f"{r.dataset}.{r.field}" for r in references if r.dataset != dataset), None)


def _names(collection: DatasetCollection) -> tuple[str, ...]:
    after = (collection.fides_meta and collection.fides_meta.erase_after) or ()
    return tuple(key.split(".", 1)[1] for key in after)


def _direction(stated: EdgeDirection | None) -> Direction | None:
    if stated is None:
        return None
    return "to" if stated is EdgeDirection.TO else "from"


def _split(reference: str) -> tuple[str, str]:
    collection, _, field = reference.partition(".")
    return collection, field
