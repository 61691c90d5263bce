"""A job as JSON: the same for everybody, in words, and without what is nobody's business."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from wanvideo.contract.job import Job, JobId, Picture, State
from wanvideo.contract.view import job_view, state_in_words

AT = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    id=JobId("j_1"), state=State.RUNNING, provider="dashscope",
    request={"prompt": "海港", "duration": 4, "fps": 24, "size": "1280*720"},
    picture=Picture("", "a", "b", "", 1, 1), cache_key="secret-key", seed=1, estimate_cny="1.2",
    account="dashscope|https://x.test|fingerprint", resolution="720P", billed_s=4,
    created_at=AT, updated_at=AT, due_at=AT, lease_owner="machine:1:2",
)  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_words(state: State) -> None:
    assert state_in_words(replace(JOB, state=state))


def test_waiting_at_the_provider_is_not_called_running() -> None:
    assert state_in_words(replace(JOB, seen_status="pending")) == "waiting at the provider"
    assert state_in_words(replace(JOB, seen_status="running")) == "being made"


def test_a_job_is_told_without_lease_account_or_key() -> None:
    told = json.dumps(job_view(JOB, elapsed_s=1.26, outlook="soon", at_risk=False), ensure_ascii=False)
    assert '"elapsed_s": 1.3' in told
    assert "海港" in told
    for hidden in ("machine:1:2", "fingerprint", "secret-key", "fence"):
        assert hidden not in told
