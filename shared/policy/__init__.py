"""The law as data, one YAML per regime, and pure functions over it; who needs a date or a rule asks here."""

from shared.policy.clocks import Clocks, DueDate, compute_clocks, verification_rule
from shared.policy.dates import DateOutOfRangeError
from shared.policy.regimes import (
    Regime,
    RightNotOfferedError,
    UnknownRegimeError,
    load_regime,
    regime_names,
)
from shared.policy.rights import Degree, Right, UnknownRightError, parse_right

__all__ = [
    "Clocks",
    "DateOutOfRangeError",
    "Degree",
    "DueDate",
    "Regime",
    "Right",
    "RightNotOfferedError",
    "UnknownRegimeError",
    "UnknownRightError",
    "compute_clocks",
    "load_regime",
    "parse_right",
    "regime_names",
    "verification_rule",
]
