"""Ids of jobs: short enough to type, and sorted by time."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final

from wanvideo.contract.job import JobId

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def new_id(now: datetime) -> JobId:
    """`j_` and 12 characters: seven of time (sortable), five of chance."""
    ticks = int((now - _EPOCH).total_seconds() * 4)
    time_part = ""
    for _ in range(7):
        ticks, digit = divmod(ticks, 32)
        time_part = _ALPHABET[digit] + time_part
    return JobId(f"j_{time_part}{''.join(secrets.choice(_ALPHABET) for _ in range(5))}")
