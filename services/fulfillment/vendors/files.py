"""The files of `deploy/vendors/`: who gets which data and what for, what the contract says, and how they are told.

A term counts only with a reference to where it stands: what is merely believed to be in a contract is not there.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.fulfillment.datamap.additions import StatutoryCategory
from services.fulfillment.datamap.remedies import first_line, worded
from services.fulfillment.vendors.terms import TermName
from shared.policy.reading import read_yaml

Party: TypeAlias = Literal["service_provider", "contractor", "third_party"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
Reference = Annotated[str, StringConstraints(min_length=3, max_length=200, strip_whitespace=True)]
Purpose: TypeAlias = Literal[
    "auditing",
    "security",
    "debugging",
    "short_term_use",
    "services_for_us",
    "advertising",
    "research",
    "quality",
    "cross_context_advertising",
    "own_purposes",
]
"""The business purposes of Civ. Code 1798.140(e)(1)-(8), and two that are none."""


class VendorError(ValueError):
    """Files of vendors that cannot be used; every problem names its file and place."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Flow(_Strict):
    """Data that the vendor gets: which, what for, and what the business gets for it besides the service.

    Both days are included. A flow that is over stays in the file: who got data is told of what is asked later.
    """

    data: Annotated[tuple[StatutoryCategory, ...], Field(min_length=1)]
    purpose: Purpose
    in_return: Literal["nothing", "money", "other_value"] = "nothing"
    began_on: date | None = None
    ended_on: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> "Flow":
        if self.began_on and self.ended_on and self.ended_on < self.began_on:
            raise ValueError("ended_on: before it began")
        return self

    def runs(self, day: date) -> bool:
        """Whether data goes to the vendor on a day."""
        began = self.began_on is None or self.began_on <= day
        return began and (self.ended_on is None or day <= self.ended_on)


class Contract(_Strict):
    """What was agreed: what the paper calls the vendor, and where each term stands in it."""

    calls_it: Party
    signed_on: date
    document: Reference
    ends_on: date | None = None
    terms: Mapping[TermName, Reference] = Field(default_factory=dict)


class Erased(_Strict):
    """The vendor has shown that it erased everything it ever got: from then on there is nothing to delete there."""

    on: date
    evidence: Reference


class Identifier(_Strict):
    """A way to name a person to the vendor: the kind as our maps call it, in the form that the vendor wants."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]
    form: Literal["raw", "sha256", "vendor_id"]


class Answers(_Strict):
    """By when the vendor is to answer, in days after it was told, and how often it is reminded."""

    receipt_days: Annotated[int, Field(ge=1, le=30)] = 3
    outcome_days: Annotated[int, Field(ge=1, le=40)] = 15
    reminders: Annotated[int, Field(ge=0, le=5)] = 2
    reminder_days: Annotated[int, Field(ge=1, le=15)] = 3
    signed: bool = True


class OverKafka(_Strict):
    """The vendor reads `dsar.directives.<vendor>` and answers on `dsar.acknowledgements.<vendor>`."""

    by: Literal["kafka"]
    identifiers: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    answers: Answers = Answers()


class ThroughSystem(_Strict):
    """We act in the vendor's system ourselves, which stands in place of telling it (11 CCR 7022(b)(2))."""

    by: Literal["system"]
    system: Name


class Vendor(_Strict):
    """One file of `deploy/vendors/`."""

    vendor: Name
    title: Annotated[str, StringConstraints(min_length=3, max_length=80)]
    business: Name
    does: Annotated[str, StringConstraints(min_length=10, max_length=300)]
    works: Literal["for_us", "with_access", "by_itself"]
    engages_others: bool = False
    flows: tuple[Flow, ...] = ()
    contract: Contract | None = None
    told: Annotated[OverKafka | ThroughSystem, Field(discriminator="by")] | None = None
    erased: Erased | None = None

    @model_validator(mode="after")
    def _erased_what_it_gets_no_more(self) -> "Vendor":
        on = self.erased.on if self.erased else None
        if on is not None and any(flow.ended_on is None or flow.ended_on > on for flow in self.flows):
            raise ValueError("erased: before that every flow has ended (ended_on)")
        return self

    @model_validator(mode="after")
    def _tells_those_who_get_data(self) -> "Vendor":
        if self.flows and self.told is None:
            raise ValueError(
                "told: whoever gets data must be told of deletions and opt-outs: by kafka or by system"
            )
        return self


def load_vendors(folder: Path) -> tuple[Vendor, ...]:
    """Every vendor of a folder, by name.

    Raises:
        VendorError: a file cannot be used; all that is wrong in all of them is said at once.
    """
    vendors, problems = list[Vendor](), list[str]()
    for file in sorted(folder.glob("*.yaml")):
        try:
            vendors.append(load_vendor(file))
        except VendorError as error:
            problems += error.problems
    if problems:
        raise VendorError(tuple(problems))
    if not vendors:
        raise VendorError((f"{folder}: no vendor is described here",))
    return tuple(sorted(vendors, key=lambda one: one.vendor))


def load_vendor(file: Path) -> Vendor:
    """One vendor; the file has its name, so that none is there twice.

    Raises:
        VendorError: the file cannot be used.
    """
    try:
        vendor = Vendor.model_validate(read_yaml(file.read_bytes()))
    except yaml.YAMLError as error:
        raise VendorError((f"{file}: not readable as YAML: {first_line(error)}",)) from None
    except ValidationError as error:
        raise VendorError(tuple(_said(file, each) for each in error.errors(include_input=False))) from None
    if vendor.vendor != file.stem:
        raise VendorError((f"{file}: vendor: the file of {vendor.vendor} is named {vendor.vendor}.yaml",))
    return vendor


def _said(file: Path, error: Mapping[str, Any]) -> str:
    place = ".".join(map(str, error["loc"])) or "vendor"
    return f"{file}: {place}: {worded(error, Vendor)}"
