"""Ids sort by time, and two of the same moment differ."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from wanvideo.jobs.ids import new_id

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_an_id_is_short_and_plain() -> None:
    assert re.fullmatch(r"j_[0-9a-hjkmnp-z]{12}", new_id(NOW))


def test_ids_sort_by_time() -> None:
    moments = [NOW + timedelta(seconds=seconds) for seconds in (0, 1, 60, 86_400, 3e8)]
    made = [new_id(moment) for moment in moments]
    assert made == sorted(made)


def test_ids_of_one_moment_differ() -> None:
    assert len({new_id(NOW) for _ in range(100)}) == 100
