"""The files of `deploy/systems/`: which system, where, how fast, with which secret, and which map.

A secret never stands in such a file: it names a file (below Habeas's home, or absolute) or an environment
variable.
"""

import os
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.fulfillment.datamap.model import DataMap, MapError
from services.fulfillment.datamap.reading import read_dataset
from services.fulfillment.datamap.remedies import first_line, instead, model_at, worded
from services.fulfillment.datamap.translating import OTHERS
from shared.policy.reading import read_yaml
from shared.privacy.claims import Language

MOST_HELD: Final = 100_000
"""Rows of one person, where an adapter holds them all at once; only databases are read and changed piece by piece."""
_OF_A_SETTING = 2
_ADAPTERS = Path(__file__).parent.parent / "adapters"

LOOK_INSIDE = frozenset({"delta", "mongodb", "objects", "redis", "search", "sql"})
"""The kinds that look into documents: a nested field of the map is a column of its own there."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SecretMissingError(LookupError):
    """A secret's file or variable is not there or cannot be read; the text names it and never its value."""


class Secret(_Strict):
    """Where a secret is kept: exactly one of a file and an environment variable."""

    file: Path | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "Secret":
        if (self.file is None) == (self.env is None):
            raise ValueError("name either a file or an env variable, and never the secret itself")
        return self

    def under(self, home: Path) -> "Secret":
        return self if self.file is None else Secret(file=home / self.file)

    def read(self, environ: Mapping[str, str] = os.environ) -> str:
        """Read it anew at every use, so that a rotated secret is taken up."""
        if self.env is not None:
            if self.env not in environ:
                raise SecretMissingError(f"the environment variable {self.env} is not set")
            return environ[self.env].strip()
        try:
            return (self.file or Path()).read_text().strip()
        except FileNotFoundError:
            raise SecretMissingError(
                f"the secret file {self.file} is not there; write the secret into it"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            why = f"the secret file {self.file} cannot be read ({type(error).__name__})"
            raise SecretMissingError(f"{why}; it must be a text that this account may read") from None


class Limits(_Strict):
    """How gently a system is treated, and what is too much for one person."""

    connections: Annotated[int, Field(ge=1, le=50)] = 4
    connect_seconds: Annotated[float, Field(gt=0)] = 5
    statement_seconds: Annotated[float, Field(gt=0)] = 20
    retry_seconds: Annotated[float, Field(gt=0)] = 30
    chunk_rows: Annotated[int, Field(ge=1, le=10_000)] = 1000
    transaction_rows: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    max_matches: Annotated[int, Field(ge=1)] = 1000
    max_rows: Annotated[int, Field(ge=1)] = 100_000
    calls_per_second: Annotated[float, Field(gt=0)] = 1000
    failures_to_open: Annotated[int, Field(ge=1)] = 5
    open_seconds: Annotated[float, Field(gt=0)] = 30


class Backups(_Strict):
    """What is erased lives on in backups for a while (11 CCR 7022(d)): said in receipt, certificate and answer."""

    kept_days: Annotated[int, Field(ge=1, le=3660)]


class SystemFile(_Strict):
    """One file of `deploy/systems/`, as written."""

    system: Name
    title: str = ""
    titles: Mapping[Language, str] = Field(default_factory=dict)
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    business: Name
    url: Secret | None = None
    connector: Path | None = None
    secrets: Mapping[str, Secret] = Field(default_factory=dict)
    settings: Mapping[str, str | int | bool] = Field(default_factory=dict)
    hash_key: Secret | None = None
    dataset: Path
    party: Literal["own", "service_provider", "contractor", "third_party"] = "own"
    identity_source: bool = False
    order: int = 100
    backups: Backups | None = None
    limits: Limits = Limits()


class System(SystemFile):
    """A system with its map read and its secrets' places made absolute."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    datamap: DataMap

    def words(self) -> dict[str, dict[str, str]]:
        """What is said of the system, with its own title, in each language that has words for it."""
        found: dict[str, dict[str, str]] = {
            language: dict(words) for language, words in self.datamap.words.items()
        }
        for language, title in self.titles.items():
            found.setdefault(language, {})[self.title] = title
        return found

    def address(self) -> str:
        """The address as it is kept.

        Raises:
            SecretMissingError: it is not there, or the system file names no place for it.
        """
        if self.url is None:
            raise SecretMissingError("the system file names no url")
        return self.url.read()


def known_kinds() -> frozenset[str]:
    """The kinds are the adapter modules that are there; nothing is imported to know it."""
    return frozenset(module.name for module in pkgutil.iter_modules([str(_ADAPTERS)]))


def load_system(file: Path, *, home: Path) -> System:
    """Load one system and its map."""
    try:
        stated = SystemFile.model_validate(_read(file))
    except ValidationError as error:
        said = (_said(file, each) for each in error.errors(include_input=False))
        raise MapError(tuple(dict.fromkeys(said))) from None
    if stated.kind not in known_kinds():
        raise MapError(
            (
                f"{file}: kind: there is no adapter {stated.kind!r}; {instead(stated.kind, known_kinds(), 'known')}",
            )
        )
    if stated.kind != "sql" and stated.limits.max_rows > MOST_HELD:
        known = f"at most {MOST_HELD} for {stated.kind}, which holds all rows of a person at once"
        raise MapError((f"{file}: limits.max_rows: {known}",))
    dataset = file.parent / stated.dataset
    _refuse_absent(stated, file, dataset)
    datamap = read_dataset(_read(dataset), file=str(dataset), nested=stated.kind in LOOK_INSIDE)
    if stated.hash_key is None and (hashed := _hashed(datamap)):
        raise MapError((f"{file}: hash_key: {hashed} is to be hashed, which needs a key",))
    untitled = tuple(_untitled(stated, file))
    datamap = replace(datamap, warnings=(*untitled, *datamap.warnings))
    return System(**{**dict(stated), **_places(stated, file, home), "datamap": datamap})


def _refuse_absent(stated: SystemFile, file: Path, dataset: Path) -> None:
    """What the file names must be there, and be meant for its kind."""
    if not dataset.is_file():
        raise MapError(
            (f"{file}: dataset: {dataset} is not there; the path begins at the system file's folder",)
        )
    if stated.connector is not None and stated.kind != "http":
        raise MapError((f"{file}: connector: only systems of the kind http have one",))


def _untitled(stated: SystemFile, file: Path) -> Iterator[str]:
    for language in OTHERS:
        if stated.title and language not in stated.titles:
            yield f"{file}: titles.{language}: no title; answers show {stated.title!r} as it is"


def _places(stated: SystemFile, file: Path, home: Path) -> dict[str, Any]:
    """Where everything that the file only names lies."""
    return {
        "url": stated.url and stated.url.under(home),
        "hash_key": stated.hash_key and stated.hash_key.under(home),
        "secrets": {name: secret.under(home) for name, secret in stated.secrets.items()},
        "connector": stated.connector and file.parent / stated.connector,
    }


def _hashed(datamap: DataMap) -> str:
    """The first column that a keyed hash replaces, or nothing."""
    columns = ((c.name, field) for c in datamap.collections.values() for field in c.deidentified)
    found = (f"{n}.{f.name}" for n, f in columns if f.deidentify and f.deidentify.strategy == "keyed_hash")
    return next(found, "")


def _read(file: Path) -> Any:
    try:
        return read_yaml(file.read_bytes())
    except FileNotFoundError:
        raise MapError((f"{file}: there is no such file",)) from None
    except yaml.YAMLError as error:
        raise MapError((f"{file}: not readable as YAML: {first_line(error)}",)) from None


def _said(file: Path, error: Mapping[str, Any]) -> str:
    loc = error["loc"]
    place = ".".join(map(str, loc)) or "system"
    if loc[:1] == ("settings",) and len(loc) > _OF_A_SETTING:
        # One of the kinds that a setting may be of; each of them would be a problem of its own.
        return f"{file}: settings.{loc[1]}: one word, number or true or false; several are one text: 'delete, opt_out'"
    if error["type"] == "model_type" and model_at(SystemFile, error["loc"]) is Secret:
        return f"{file}: {place}: name where it is kept, {{file: ...}} or {{env: ...}}, and never the secret itself"
    return f"{file}: {place}: {worded(error, SystemFile)}"
