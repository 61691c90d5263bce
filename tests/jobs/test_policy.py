"""How long to wait, and what to say meanwhile."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.jobs.policy import Estimate, backoff_s, estimate, next_look_s, outlook
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


@given(st.floats(0, 1e6), latencies, paces)
def test_there_is_always_a_pause_between_two_looks(elapsed_s: float, seen: list[float], pace: Pace) -> None:
    assert next_look_s(elapsed_s, estimate(seen, pace), pace) >= 1e-3


@given(st.floats(0, 5000), st.floats(0, 100), latencies, paces)
def test_looking_later_never_brings_the_next_look_forward(
    elapsed_s: float, later_s: float, seen: list[float], pace: Pace
) -> None:
    expected = estimate(seen, pace)
    first = elapsed_s + next_look_s(elapsed_s, expected, pace)
    second = elapsed_s + later_s + next_look_s(elapsed_s + later_s, expected, pace)
    assert second >= first - 1e-6


@given(st.floats(0, 5000), st.floats(0, 100), latencies, paces)
def test_once_a_clip_may_be_done_the_looks_only_become_rarer(
    past_s: float, later_s: float, seen: list[float], pace: Pace
) -> None:
    expected = estimate(seen, pace)
    elapsed_s = past_s + (expected.early_s if expected.learned_from else 0)
    assert next_look_s(elapsed_s + later_s, expected, pace) >= next_look_s(elapsed_s, expected, pace) - 1e-6


def test_a_clip_is_seen_soon_after_it_is_done_without_asking_all_the_time() -> None:
    at_s, looks = 0.0, []
    while at_s < 200:
        at_s += next_look_s(at_s, LEARNED, PACE)
        looks.append(at_s)
    around = [later - earlier for earlier, later in itertools.pairwise(looks) if later <= 95]
    assert looks[0] == pytest.approx(47.5)
    assert max(around) <= 2.5
    assert len([look for look in looks if look <= 95]) <= 25


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
