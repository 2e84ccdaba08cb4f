"""The last processor before a log line is written: drops what nobody allowed, hides what looks personal.

Defence in depth. The rule stays that nobody logs a payload; this holds where somebody did.
"""

import re
from collections.abc import Callable, Iterable, MutableMapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

REDACTED: Final = "[redacted]"

# Names of values that are ids, counts, names of ours or times. structlog's own keys stand among them.
LOG_KEYS: Final = frozenset(
    {
        "_from_structlog",
        "_record",
        "event",
        "level",
        "logger",
        "timestamp",
        "exception",
        "exc_type",
        "stack",
        "service",
        "version",
        "host",
        "pid",
        "shard",
        "epoch",
        "attempt",
        "attempts",
        "reason",
        "outcome",
        "status",
        "kind",
        "handler",
        "request_id",
        "message_id",
        "event_id",
        "task_id",
        "correlation_id",
        "causation_id",
        "trace_id",
        "span_id",
        "business",
        "ce_id",
        "ce_type",
        "ce_source",
        "topic",
        "partition",
        "offset",
        "sequence",
        "group",
        "source",
        "system",
        "adapter",
        "right",
        "regime",
        "policy_version",
        "method",
        "path",
        "route",
        "port",
        "state",
        "count",
        "rows",
        "batch",
        "lag",
        "age_seconds",
        "duration_ms",
        "duration_seconds",
        "delay_seconds",
        "wake_at",
        "due_at",
        "until",
        "error_type",
        "error_code",
        "sqlstate",
        "field",
        "remedy",
    }
)

_KEPT_WHOLE: Final = frozenset({"_from_structlog", "_record"})
_EMAIL: Final = re.compile(r"[^\s@<>\"'(),;:=]+@[^\s@<>\"'(),;:=]+\.[^\s@<>\"'(),;:=]+")
# Ten to fifteen digits with single separators, or a plus and seven or more. The edges keep ids, hashes and
# ISO times out.
_PHONE: Final = re.compile(
    r"(?<![\w.-])(?:\+\d(?:[ .()-]{0,2}\d){6,14}|\(?\d(?:[ .()-]{0,2}\d){9,14})(?![\w:-])"
)
_SAFE_TYPES: Final = (bool, int, float, UUID, datetime, date, timedelta, type(None))
_CODE_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}")

Processor = Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]


def looks_personal(text: str) -> bool:
    """Whether the text holds something in the form of an e-mail address or a telephone number."""
    return bool(_EMAIL.search(text) or _PHONE.search(text))


def redactor(allowed: Iterable[str] = ()) -> Processor:
    """A structlog processor; place it last before the renderer, after exceptions became text.

    `allowed` adds keys to LOG_KEYS. Dropped keys are named under `dropped`: a missing value is no riddle.
    """
    keys = LOG_KEYS | frozenset(allowed)

    def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        kept = {key: _clean(key, value) for key, value in line.items() if key in keys}
        dropped = sorted(_name_of(key) for key in line if key not in keys)
        return {**kept, "dropped": dropped} if dropped else kept

    return redact


def _clean(key: str, value: Any) -> Any:
    if key in _KEPT_WHOLE or isinstance(value, _SAFE_TYPES):
        return value
    if isinstance(value, str):
        return _PHONE.sub(REDACTED, _EMAIL.sub(REDACTED, value))
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, item) for item in value]
    return REDACTED


def _name_of(key: str) -> str:
    return key if _CODE_NAME.fullmatch(key) else REDACTED
