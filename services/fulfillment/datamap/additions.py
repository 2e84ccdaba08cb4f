"""What our maps say beyond Fideslang: law, provenance and how a row is bounded, treated and flagged.

It stands under the key `habeas` in a field's or collection's `fides_meta` and in the dataset's `meta`; a map
without any of it still works. Unknown keys are refused, for a misspelt retention would delete what must stay.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.privacy.claims import Language

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Scalar = bool | int | str

StatutoryCategory = Literal[
    "identifiers",
    "customer_records",
    "protected_characteristics",
    "commercial",
    "biometric",
    "internet_activity",
    "geolocation",
    "sensory",
    "professional",
    "education",
    "inferences",
    "sensitive",
]
WithheldKind = Literal[
    "social_security_number",
    "government_id_number",
    "financial_account_number",
    "health_id_number",
    "account_password",
    "security_question",
    "biometric_data",
]
Match = Literal["exact", "lower", "digits", "sha256"]
TimeFormat = Literal["native", "iso_utc", "epoch_seconds", "epoch_millis"]


class Addition(BaseModel):
    """Frozen and strict: a key that we do not know is an error, not a remark."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Retention(Addition):
    """A legal ground to keep what a deletion would take: the exemption's id in the policy and its cite."""

    exemption: Words
    cite: Words
    why: Words


class Flag(Addition):
    """The column that a right sets, and to what."""

    field: Words
    value: Scalar = True


class Deidentify(Addition):
    """What replaces a value so that it points to nobody any more."""

    strategy: Literal["set_null", "constant", "random", "keyed_hash"]
    value: Scalar | None = None


class CreatedAt(Addition):
    """The column that tells when a row came to be; it bounds every destructive statement."""

    field: Words
    format: TimeFormat = "native"


class Handling(Addition):
    """Where data comes from, what for, who receives it, how long it is kept: the words of answers and notices."""

    source: Words | None = None
    purpose: Words | None = None
    disclosed_to: tuple[Words, ...] | None = None
    sold_or_shared_to: tuple[Words, ...] | None = None
    kept_for: Words | None = None


class DatasetAdditions(Handling):
    """Said once for all collections of the dataset.

    `words` puts what the map says, and its tables' and columns' names, into the words of a language.
    """

    words: Mapping[Language, Mapping[Words, Words]] = Field(default_factory=dict)


def _strategy(value: Any) -> Any:
    return {"strategy": value} if isinstance(value, str) else value


def _created(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


class CollectionAdditions(Handling):
    """Said of a table: its cut-off, its retention, its flags, and which of its rows are meant."""

    category: StatutoryCategory | None = None
    personal: bool | None = None
    created_at: Annotated[CreatedAt, BeforeValidator(_created)] | None = None
    retention: Retention | None = None
    opt_out: Flag | None = None
    limit: Flag | None = None
    where: Mapping[str, Scalar] = Field(default_factory=dict)
    max_matches: Annotated[int, Field(gt=0)] | None = None


class FieldAdditions(Handling):
    """Said of a column: its category in the statute's words, and what may never be shown of it.

    `shown_because` says why values that look like what may never be shown are none: a person has looked.
    `corrected_as` are the words by which people call the column: whoever disputes it by one of them is believed.
    """

    category: StatutoryCategory | None = None
    withheld: WithheldKind | None = None
    shown_because: Words | None = None
    match: Match | None = None
    retention: Retention | None = None
    deidentify: Annotated[Deidentify, BeforeValidator(_strategy)] | None = None
    corrected_as: tuple[Words, ...] = ()
