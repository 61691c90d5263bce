"""How long to wait, and what to say meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.contract.model_card import limit
from wanvideo.jobs.policy import WATCHED_S, Estimate, backoff_s, estimate, outlook
from wanvideo.ports import Pace

PACE = Pace(typical_s=70, first_look_s=15, look_every_s=5)
LEARNED = Estimate(early_s=50, typical_s=70, late_s=95, learned_from=20)

seconds = st.floats(0.1, 3600)
paces = st.builds(Pace, typical_s=seconds, first_look_s=seconds, look_every_s=st.floats(0.1, 60))
latencies = st.lists(st.floats(0.01, 5000), max_size=60)


def test_the_providers_figure_counts_until_three_clips_were_seen() -> None:
    assert estimate([1, 2], PACE) == Estimate(15, 70, 140, 0)
    assert estimate([10, 20, 30], PACE) == Estimate(12, 20, 28, 3)


@given(latencies, paces)
def test_an_estimate_is_in_order(seen: list[float], pace: Pace) -> None:
    found = estimate(seen, pace)
    if found.learned_from:
        assert min(seen) <= found.early_s <= found.typical_s <= found.late_s <= max(seen) + 1e-6


def test_a_running_job_is_due_by_itself_only_after_its_link_has_died() -> None:
    """Until then the watch tells; after it there is nothing left but to say so."""
    assert limit("task_ttl_s") < WATCHED_S
    assert limit("link_ttl_s") < WATCHED_S


def test_pauses_double_up_to_a_limit() -> None:
    assert [backoff_s(tries) for tries in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff_s(10_000, most_s=60) == 60
    assert backoff_s(1, first_s=5) == 10


@pytest.mark.parametrize(
    ("elapsed_s", "expected", "words"),
    [
        (0, estimate([], PACE), "usually about 70 s"),
        (141, estimate([], PACE), "taking longer than usual"),
        (0, LEARNED, "about 70 s left"),
        (63, LEARNED, "about 7 s left"),
        (69.5, LEARNED, "should finish soon"),
        (100, LEARNED, "should finish soon"),
        (120, LEARNED, "taking longer than usual"),
    ],
)
def test_a_person_is_told_the_truth(elapsed_s: float, expected: Estimate, words: str) -> None:
    assert outlook(elapsed_s, expected) == words


@given(st.floats(0, 1e5), latencies, paces)
def test_no_percentage_is_ever_made_up(elapsed_s: float, seen: list[float], pace: Pace) -> None:
    words = outlook(elapsed_s, estimate(seen, pace))
    assert "%" not in words
    assert " 0 s" not in words
    assert "-" not in words
