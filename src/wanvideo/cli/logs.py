"""Log lines on stderr, without secrets; libraries speak up only when something is wrong."""

from __future__ import annotations

import logging
import sys

from wanvideo.redact import redact


def set_up_logs(level: str) -> None:
    """One shape for our lines and the libraries'; every text goes through `redact`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("wanvideo").setLevel(number)
    # what the SDK says at ERROR, our own errors say better
    logging.getLogger("dashscope").setLevel(logging.CRITICAL)


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
