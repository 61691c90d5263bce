"""The path never leaves the picture, however far the words and the strength would carry it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wanvideo.preview import Shot
from wanvideo.preview.camera import film, sample
from wanvideo.preview.picture import Fit, fit

SHOT = Shot(b"", width_px=640, height_px=360)
SAME_ASPECT = fit((1920, 1080), 640, 360)
PANORAMA = fit((4000, 1000), 640, 360)
EVERY = [
    ("in",),
    ("out",),
    ("left",),
    ("up",),
    ("out", "left", "up"),
    ("in", "out"),
    ("left", "right", "down"),
]


def test_the_path_begins_on_the_reference() -> None:
    for moves in EVERY:
        path = film(SHOT, moves, 1.6, SAME_ASPECT)
        assert (path.zoom[0], path.shift_x_px[0], path.shift_y_px[0]) == (1, 0, 0)


def test_a_way_there_and_back_ends_where_it_began() -> None:
    path = film(replace(SHOT, frame_count=97), ("in", "out"), 1.0, SAME_ASPECT)
    assert path.zoom.argmax() == 48
    assert path.zoom[-1] < 1.12 < path.zoom[48]


@pytest.mark.parametrize("moves", EVERY)
@pytest.mark.parametrize("fitted", [SAME_ASPECT, PANORAMA])
def test_the_stretch_at_the_rim_stays_slight(moves: tuple[str, ...], fitted: Fit) -> None:
    """At most 6 % of a side is made up for by stretching, 3 % without a pull-back."""
    path = film(replace(SHOT, motion_strength=1.0), moves, 1.6, fitted)
    allowed = 0.0601 if "out" in moves else 0.0301
    for side, spare, shift in (
        (640, fitted.spare_x_px, path.shift_x_px),
        (360, fitted.spare_y_px, path.shift_y_px),
    ):
        beyond = np.abs(shift) + side / 2 / path.zoom - side / 2 - spare
        assert beyond.max() <= allowed * side


def test_leftover_pixels_spare_a_pan_the_push_in() -> None:
    tight, free = (film(SHOT, ("right",), 1.0, fitted) for fitted in (SAME_ASPECT, PANORAMA))
    assert tight.zoom.max() > 1.02
    assert free.zoom.max() == 1
    assert free.shift_x_px.max() > tight.shift_x_px.max()
    assert free.reach_x_px < PANORAMA.spare_x_px


def test_a_short_clip_moves_less_so_that_it_does_not_race() -> None:
    long, short = (film(replace(SHOT, frame_count=count), ("in",), 1.0, SAME_ASPECT) for count in (96, 24))
    assert np.log(short.zoom[-1]) == pytest.approx(np.log(long.zoom[-1]) / 2, rel=0.01)


def test_the_seed_moves_the_float_and_nothing_else() -> None:
    paths = [film(replace(SHOT, seed=seed), ("left",), 1.0, SAME_ASPECT) for seed in range(20)]
    ends = [path.shift_x_px[-1] for path in paths]
    assert len(set(ends)) == 20
    assert max(ends) < -0.04 * 640
    assert all(np.abs(path.shift_y_px).max() < 0.005 * 640 for path in paths)


def test_a_viewport_beyond_the_picture_ends_exactly_with_it() -> None:
    at = np.linspace(-1, 1, 201)
    seen = sample(50.0, 56.0, 0.0, 100.0, at)
    assert seen[0] == pytest.approx(0)
    assert seen[-1] == pytest.approx(100)
    assert np.diff(seen).min() > 0.5 * np.diff(seen).max(), "stretched, never folded"
    one_sided = sample(52.0, 50.0, 0.0, 100.0, at)
    assert one_sided[0] == pytest.approx(2), "the other side is left alone"
    assert one_sided[-1] == pytest.approx(100)
