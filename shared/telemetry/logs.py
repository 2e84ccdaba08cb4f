"""Structured logs on standard error: event name and ids, never a payload; the redactor is the last to look."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict

from shared.privacy import redactor

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
# Names of ours beyond the common ones: words, counts and seconds, never a person's.
OURS = frozenset({"what", "error", "wait_seconds", "frames", "code", "verdict", "host_state"})


def configure_logs(service: str, level: str, *, pretty: bool = False) -> None:
    """Set up structlog and the standard library's logging for one process."""
    renderer: Any = structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _bound(service),
            _frames_only,
            redactor(OURS),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WordsOfOurs())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class WordsOfOurs(logging.Formatter):
    """What a library logs: how bad it is, whose it is, and the kind of error; never its text."""

    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0] if record.exc_info else None
        return f"{record.levelname} {record.name} {kind.__name__ if kind else ''}".rstrip()


def _bound(service: str) -> Any:
    def bind(_logger: Any, _name: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    return bind


def _frames_only(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Where it happened instead of what was said: an exception's text may repeat a person's data."""
    if not event.pop("exc_info", None):
        return event
    kind, _, trace = sys.exc_info()
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    event["error_type"] = kind.__name__ if kind else "unknown"
    event["frames"] = " > ".join(frames[-8:])
    return event
