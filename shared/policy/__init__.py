"""The law as data, one YAML per regime, and pure functions over it; who needs a date or a rule asks here."""

from shared.policy.clocks import Clocks, DueDate
from shared.policy.clockwork.limits import Limit, limit_of
from shared.policy.clockwork.reckoning import compute_clocks, reckon, verification_rule
from shared.policy.dates import DateOutOfRangeError
from shared.policy.extensions import ExtensionRefusal, extension_refusal
from shared.policy.regimes import (
    NotInForceError,
    Regime,
    RightNotOfferedError,
    UnknownRegimeError,
    load_regime,
    regime_names,
)
from shared.policy.rights import Degree, Right, UnknownRightError, parse_right
from shared.policy.rules import Fact
from shared.policy.windows import (
    WarningTime,
    access_due,
    access_warnings,
    ask_again_from,
    by_todays_zone,
    extension_looks,
    key_kept_through,
    log_kept_through,
    warning_times,
)

__all__ = [
    "Clocks",
    "DateOutOfRangeError",
    "Degree",
    "DueDate",
    "ExtensionRefusal",
    "Fact",
    "Limit",
    "NotInForceError",
    "Regime",
    "Right",
    "RightNotOfferedError",
    "UnknownRegimeError",
    "UnknownRightError",
    "WarningTime",
    "access_due",
    "access_warnings",
    "ask_again_from",
    "by_todays_zone",
    "compute_clocks",
    "extension_looks",
    "extension_refusal",
    "key_kept_through",
    "limit_of",
    "load_regime",
    "log_kept_through",
    "parse_right",
    "reckon",
    "regime_names",
    "verification_rule",
    "warning_times",
]
