"""Log lines on stderr, structured, without secrets; libraries speak up only when something is wrong."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from wanvideo.redact import redact


def set_up_logs(level: str) -> None:
    """One shape for our lines and the libraries'; every text goes through `redact`."""
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redacted,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    # the SDK says at ERROR what our own errors say better
    logging.getLogger("dashscope").setLevel(logging.CRITICAL if number > logging.DEBUG else number)


def _redacted(_logger: Any, _method: str, event: Any) -> Any:
    return {name: redact(value) if isinstance(value, str) else value for name, value in event.items()}


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
