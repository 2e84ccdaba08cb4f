"""Whether policy files are sound: read strictly, in the shape of their schema, with holidays for next year."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml
from pydantic import ValidationError

from shared.clock import SystemClock
from shared.policy import Regime, load_regime, regime_names
from shared.policy.regimes import BrokenPolicyError, parse_calendars, places, read_regime, table_of


@dataclass(frozen=True, slots=True)
class Checked:
    """One file's verdict: a problem, or what it says of itself."""

    name: str
    says: str
    problem: str | None = None


def check_all() -> list[Checked]:
    """Check every regime and every table that is installed."""
    regimes = [_checked(name, partial(_installed, name)) for name in regime_names()]
    tables = [_checked(f"calendars/{place}", partial(_table, place)) for place in places()]
    return [*regimes, *tables]


def check_file(path: str) -> Checked:
    """Check one policy file by its path."""
    return _checked(path, partial(_file, path))


def _checked(name: str, read: Callable[[], str]) -> Checked:
    try:
        return Checked(name, read())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        return Checked(name, "", f"{place}: {first['msg']}" if place else first["msg"])
    except (BrokenPolicyError, ValueError, OSError, yaml.YAMLError) as error:
        return Checked(name, "", str(error))


def _installed(name: str) -> str:
    return _regime(load_regime(name))


def _file(path: str) -> str:
    return _regime(read_regime(Path(path).read_bytes()))


def _regime(regime: Regime) -> str:
    rules = regime.rules
    weak = len(dict(rules.unconfirmed()))
    offered = "offered" if rules.offered else "not offered"
    return f"{len(rules.rights)} rights, {offered}, {weak} unconfirmed, version {regime.version}"


def _table(place: str) -> str:
    """A table must hold next year: a period that begins today may end there."""
    table = parse_calendars(table_of(place))
    following = SystemClock().now().year + 1
    if following not in table.years:
        raise ValueError(f"{following} is missing; draft it with habeas policy calendars --year {following}")
    return f"holidays from {table.years[0]} to {table.years[-1]}"
