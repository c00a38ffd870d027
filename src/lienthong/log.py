"""Log events: a constant name with fields, one JSON line each on standard error. Never personal data."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure_logging(level: str = "INFO") -> None:
    """Write structured events at `level` and above to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_to_standard_error,
        cache_logger_on_first_use=False,
    )


def _to_standard_error(*_: Any) -> structlog.PrintLogger:
    """Standard error as it is when something is said: a program that embeds us may have put another in its place."""
    return structlog.PrintLogger(file=sys.stderr)


def get_logger(room: str) -> Any:
    """A logger whose events carry the room's name."""
    return structlog.get_logger(room=room)
