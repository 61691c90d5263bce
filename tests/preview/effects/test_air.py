"""What is in the air moves as it does outside, in front of the subject or behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.preview.effects.conftest import Take, fall_px, plain

from wanvideo.preview.frames import to_frame
from wanvideo.preview.scene import Scene

NEARNESS = np.zeros((36, 64), np.float32)
DARK = Take((), plain(40, 640, 360), scene=Scene(NEARNESS), strength=1.0)
REFERENCE = to_frame(DARK.picture)


def moved(token: str, reach_px: int, fps: int = 48) -> tuple[float, float]:
    """The usual step between two frames, right and down, over several pairs."""
    take = replace(DARK, tokens=(token,), fps=fps)
    starts = [fps + 7 * number for number in range(7)]
    frames = list(take.frames(*(index + step for index in starts for step in (0, 1))))
    pairs = zip(frames[::2], frames[1::2], strict=True)
    # Chroma where the effect has colour, and no grade: it is what moves that counts.
    steps = [fall_px(first.luma, second.luma, reach_px, REFERENCE.luma) for first, second in pairs]
    right, down = np.median(np.array(steps), axis=0).tolist()
    return right, down


def test_snow_falls() -> None:
    right, down = moved("snow", 12, fps=12)
    assert down >= 2
    assert abs(right) < down


def test_rain_falls_far_faster_than_snow() -> None:
    right, down = moved("rain", 40)
    assert down >= 10
    assert abs(right) < 0.5 * down


def test_embers_rise() -> None:
    _right, down = moved("embers", 10, fps=12)
    assert down <= -2


def test_petals_fall_and_drift() -> None:
    right, down = moved("petals", 10, fps=24)
    assert down >= 1
    assert abs(right) >= 0.5


def test_fog_drifts() -> None:
    take = replace(DARK, tokens=("fog",))
    first, second = take.frames(60, 84)
    change = np.abs(first.luma.astype(int) - second.luma)
    assert 0.5 < change.mean() < 20
    assert first.luma.mean() > REFERENCE.luma.mean() + 8


def test_fog_is_thickest_where_it_is_far() -> None:
    nearness = np.repeat(np.linspace(0, 1, 36, dtype=np.float32)[:, None], 64, axis=1)
    frame = replace(DARK, tokens=("fog",), scene=Scene(nearness)).frame(70)
    assert frame.luma[:90].mean() > frame.luma[-90:].mean() + 15


@pytest.mark.parametrize("token", ["snow", "rain"])
def test_far_flakes_stay_behind_the_subject(token: str) -> None:
    subject = np.zeros((36, 64), np.float32)
    subject[:, 20:44] = 1
    alone = replace(DARK, tokens=(token,)).frame(70)
    behind = replace(DARK, tokens=(token,), scene=Scene(NEARNESS, subject)).frame(70)
    hidden = alone.luma[:, 230:410] > behind.luma[:, 230:410]
    assert np.count_nonzero(hidden) > 300
    assert (behind.luma[:, 230:410] > REFERENCE.luma[0, 0] + 10).any()  # the near ones still pass before it
    assert np.array_equal(alone.luma[:, :180], behind.luma[:, :180])


def test_grey_keeps_its_greys_under_snow() -> None:
    for plane in replace(DARK, tokens=("snow",)).frame(70).planes()[1:]:
        assert (plane == 128).all()


def test_rain_darkens_and_pales() -> None:
    warm = np.full((360, 640, 3), (200, 150, 100), np.uint8)
    frame = replace(DARK, tokens=("rain",), picture=warm).frame(70)
    before = to_frame(warm)
    assert np.median(frame.luma) < np.median(before.luma) - 8
    assert 128 < np.median(frame.red) < np.median(before.red)


def test_petals_are_pink_and_embers_orange() -> None:
    petals, embers = (replace(DARK, tokens=(token,)).frame(70) for token in ("petals", "embers"))
    assert petals.red.max() > 145
    assert petals.blue.min() > 112
    assert embers.red.max() > 150
    assert embers.blue.min() < 100


def test_snow_moves_with_the_camera_and_near_flakes_more() -> None:
    """A camera that goes right carries the flakes to the left."""
    take = replace(DARK, tokens=("snow",), fps=24, shift_x_px_per_s=240)
    steps = []
    for start in range(30, 80, 10):
        first, second = take.frames(start, start + 1)
        steps.append(fall_px(first.luma, second.luma, 24, REFERENCE.luma)[0])
    assert np.median(steps) < -6


def test_no_flake_appears_or_vanishes_in_sight() -> None:
    """From frame to frame the light of all flakes together hardly changes."""
    take = replace(DARK, tokens=("snow",), fps=24)
    light = [float(frame.luma.astype(int).sum()) for frame in take.frames(*range(40, 60))]
    steps = np.abs(np.diff(np.array(light) - REFERENCE.luma.astype(int).sum()))
    assert steps.max() < 0.12 * (np.mean(light) - REFERENCE.luma.astype(int).sum())
