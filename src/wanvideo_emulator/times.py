"""The service's way of writing times: Beijing time without an offset, or epoch milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


def written(at: float) -> str:
    """`YYYY-MM-DD HH:mm:ss.SSS`, as in `submit_time`."""
    return datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def milliseconds(at: float) -> int:
    return int(at * 1000)


def parsed(text: str) -> float:
    """Read `YYYYMMDDhhmmss`, the spelling of list filters. Raises ValueError."""
    if len(text) != 14:
        raise ValueError(f"not YYYYMMDDhhmmss: {text!r}")
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING).timestamp()
