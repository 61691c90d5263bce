"""The line that people watch: state, time, outlook, cost; a percentage only where one is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from wanvideo.cli.live import line
from wanvideo.contract.job import Job, JobId, Picture, State
from wanvideo.jobs.service import Snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    id=JobId("j_000000000001"),
    state=State.RUNNING,
    provider="dashscope",
    request={"prompt": "slow push in"},
    picture=Picture("", "", "", "", 320, 240),
    cache_key="",
    seed=7,
    estimate_cny="0.30",
    account="dashscope|http://127.0.0.1|k",
    resolution="720P",
    billed_s=2,
    created_at=NOW,
    updated_at=NOW,
    due_at=NOW,
    seen_status="running",
)


def told(
    *, elapsed_s: float = 65, outlook: str = "about 20 s left", at_risk: bool = False, **changes: Any
) -> str:
    return line(Snapshot(replace(JOB, **changes), elapsed_s, outlook, at_risk))


def test_a_paid_clip_shows_state_time_outlook_and_cost() -> None:
    assert told() == "being made · 1 min 05 s · about 20 s left · ¥0.30"


def test_a_preview_shows_how_far_it_is_and_no_price() -> None:
    assert told(provider="preview", progress=0.42) == "being made · 1 min 05 s · 42% rendered"


def test_what_was_settled_counts_more_than_the_estimate() -> None:
    assert told(state=State.STORING, outlook="", cost_cny="0.25").endswith("· ¥0.25")


def test_a_link_that_dies_soon_and_the_reason_for_waiting_are_said_aloud() -> None:
    words = told(state=State.STORING, outlook="", at_risk=True, note="[Errno 28] No space left on device")
    assert words.endswith("AT RISK: the link dies soon · [Errno 28] No space left on device")


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_words(state: State) -> None:
    words = told(state=state, outlook="").split(" · ")[0]
    assert words
    assert words != state.value or state in (State.FAILED, State.CANCELLED)
