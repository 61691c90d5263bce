"""The curve behind every look: how likely a clip has ended by now, and what not looking costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanvideo.jobs.latency import LOOKS_PER_CLIP, Curve, curve
from wanvideo.ports import Pace

PACE = Pace(typical_s=75, first_look_s=15, look_every_s=3, queries_per_s=15)
DAY_S = 86_400.0

any_latency = st.one_of(st.floats(0.01, 3600), st.sampled_from([0.0, 5e-324, 1e-9, 1e7, 1e308]))
latencies = st.one_of(
    st.lists(any_latency, max_size=40),
    any_latency.flatmap(lambda same: st.integers(3, 40).map(lambda count: [same] * count)),
    st.tuples(any_latency, any_latency).map(lambda two: [*two] * 8),
)


def takes_about_a_minute(count: int, seed: int = 1, spread: float = 0.25) -> list[float]:
    return list(60 * np.exp(spread * np.random.default_rng(seed).standard_normal(count)))


def lag_s(learned: Curve, looked_s: float, age_s: float) -> float:
    return float(learned.lag_s(np.asarray([looked_s]), np.asarray([age_s]))[0])


def looks_at(learned: Curve, takes_s: float) -> list[float]:
    """The ages at which a clip on its own is looked at, the last one when it has ended."""
    ages = [0.0]
    while ages[-1] < takes_s:
        last_s = low_s = ages[-1]
        step_s = 0.02
        while lag_s(learned, last_s, last_s + step_s) < learned.price_s:
            step_s *= 2
        high_s = last_s + step_s
        for _ in range(8):
            middle_s = (low_s + high_s) / 2
            if lag_s(learned, last_s, middle_s) < learned.price_s:
                low_s = middle_s
            else:
                high_s = middle_s
        ages.append(high_s)
    return ages[1:]


def looks_and_lag(learned: Curve, clips_s: Sequence[float]) -> tuple[float, float]:
    """Means over these clips."""
    looks = [looks_at(learned, takes_s) for takes_s in clips_s]
    lags_s = [ages[-1] - takes_s for ages, takes_s in zip(looks, clips_s, strict=True)]
    return float(np.mean([len(ages) for ages in looks])), float(np.mean(lags_s))


@given(latencies)
def test_the_share_that_has_ended_only_grows_from_none_to_all(seen: list[float]) -> None:
    learned = curve(seen, PACE)
    assert np.all(np.isfinite(learned.ages_s))
    assert np.all(np.diff(learned.ages_s) > 0)
    assert np.all(np.diff(learned.ended) >= 0)
    assert learned.ended[0] == 0
    assert learned.ended[-1] == 1
    assert learned.ages_s[-1] >= DAY_S * 0.99
    assert 0 < learned.price_s < math.inf
    assert 0 < learned.mean_s < math.inf


@given(latencies, st.floats(0, 2 * DAY_S), st.lists(st.floats(0, 2 * DAY_S), min_size=2, max_size=8))
def test_not_looking_never_pays_and_costs_more_the_longer(
    seen: list[float], looked_s: float, later_s: list[float]
) -> None:
    ages_s = looked_s + np.sort(later_s)
    lags_s = curve(seen, PACE).lag_s(np.full(len(ages_s), looked_s), ages_s)
    assert np.all(lags_s >= 0)
    assert np.all(np.isfinite(lags_s))
    assert np.all(np.diff(lags_s) >= -1e-4)


@pytest.mark.parametrize("learned_from", [10, 50, 200])
def test_a_clip_takes_about_as_many_looks_as_are_meant(learned_from: int) -> None:
    learned = curve(takes_about_a_minute(learned_from), PACE)
    looks, mean_lag_s = looks_and_lag(learned, takes_about_a_minute(60, seed=2))
    assert looks == pytest.approx(LOOKS_PER_CLIP, rel=0.3)
    assert mean_lag_s < 1.5


def test_three_clips_are_too_few_to_be_sure_of_the_fourth() -> None:
    """However close together they came: the next one is still looked for a good way around them."""
    for seed in range(5):
        learned = curve(takes_about_a_minute(3, seed=seed), PACE)
        looks, mean_lag_s = looks_and_lag(learned, takes_about_a_minute(15, seed=seed + 100))
        assert looks < 25
        assert mean_lag_s < 4


def test_clips_that_always_take_the_same_are_seen_within_a_moment() -> None:
    learned = curve([60.0] * 50, PACE)
    [*_, seen_s] = looks_at(learned, 60.0)
    assert seen_s - 60 < 0.3


def test_before_any_was_seen_the_providers_figure_counts() -> None:
    guessed = curve([], PACE)
    assert guessed.ages_s[guessed.ended.searchsorted(0.5)] < PACE.typical_s
    for takes_s in (10.0, 60.0, 75.0, 150.0, 225.0):
        ages = looks_at(guessed, takes_s)
        assert ages[-1] - takes_s < 5
        assert len(ages) < 60
    slower = curve([1.0, 1.0], Pace(750, 15, 3))
    assert slower.mean_s == pytest.approx(10 * guessed.mean_s), "two clips teach nothing yet"


def test_a_clip_that_takes_for_ever_is_looked_at_more_and_more_rarely() -> None:
    gaps_s = np.diff(looks_at(curve(takes_about_a_minute(100), PACE), 4 * 3600.0))
    assert gaps_s[-1] > 45
    assert len(gaps_s) < 1200


def test_one_straggler_makes_no_spike_of_its_own() -> None:
    """One clip of 50 minutes among sixty of a minute: the others are looked at as before, itself not more."""
    usual = takes_about_a_minute(60, spread=0.1)
    before, after = curve(usual, PACE), curve([*usual, 3000.0], PACE)
    assert after.price_s == pytest.approx(before.price_s, rel=0.25)
    clips_s = takes_about_a_minute(25, seed=3, spread=0.1)
    looks, mean_lag_s = looks_and_lag(after, clips_s)
    looks_before, lag_before_s = looks_and_lag(before, clips_s)
    assert looks == pytest.approx(looks_before, abs=3)
    assert mean_lag_s == pytest.approx(lag_before_s, abs=0.3)
    assert len(looks_at(after, 3100.0)) <= len(looks_at(before, 3100.0))


def test_what_a_wrong_clock_measured_does_no_harm() -> None:
    right, clips_s = takes_about_a_minute(50), takes_about_a_minute(40, seed=2)
    looks, mean_lag_s = looks_and_lag(curve([*right, 1e9, -5.0, 0.0], PACE), clips_s)
    right_looks, right_lag_s = looks_and_lag(curve(right, PACE), clips_s)
    assert looks <= right_looks
    assert mean_lag_s < 2 * right_lag_s
