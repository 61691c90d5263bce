"""The path never leaves the picture, however far the words and the strength would carry it."""

from __future__ import annotations

import re
from dataclasses import astuple, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from wanvideo.preview import Plan, Shot
from wanvideo.preview.picture import Fit, fit
from wanvideo.preview.plan import MOVES
from wanvideo.preview.room import REST, Path, film

SHOT = Shot(b"", width_px=640, height_px=360)
SAME_ASPECT = fit((1920, 1080), 640, 360)
PANORAMA = fit((4000, 1000), 640, 360)
EVERY: list[tuple[str, ...]] = [(move,) for move in MOVES]
EVERY += [
    ("out", "pan_left", "tilt_up"),
    ("in", "out"),
    ("pan_left", "truck_right", "pedestal_down", "roll_left"),
]
EVERY += [("handheld", "truck_left"), ("orbit_left", "in", "handheld")]


def column(path: Path, name: str) -> NDArray[np.float64]:
    return np.array([getattr(pose, name) for pose in path.poses])


@pytest.mark.parametrize("moves", EVERY)
def test_the_path_begins_on_the_reference(moves: tuple[str, ...]) -> None:
    assert film(replace(SHOT, motion_strength=1.0), Plan(moves, pace=1.6), SAME_ASPECT).poses[0] == REST


@pytest.mark.parametrize("moves", EVERY)
def test_strength_0_and_still_never_move(moves: tuple[str, ...]) -> None:
    assert set(film(replace(SHOT, motion_strength=0.0), Plan(moves), PANORAMA).poses) == {REST}
    assert set(film(SHOT, Plan(("still",)), PANORAMA).poses) == {REST}


def test_a_way_there_and_back_ends_where_it_began() -> None:
    zoom = column(film(replace(SHOT, frame_count=97), Plan(("in", "out")), SAME_ASPECT), "zoom")
    assert zoom.argmax() == 48
    assert zoom[-1] < 1.12 < zoom[48]


@pytest.mark.parametrize("moves", EVERY)
@pytest.mark.parametrize("fitted", [SAME_ASPECT, PANORAMA])
@pytest.mark.parametrize("frame_count", [2, 12, 96])
def test_the_stretch_at_the_rim_stays_slight(moves: tuple[str, ...], fitted: Fit, frame_count: int) -> None:
    """At most 6 % of a side is made up for by stretching, 3 % without a pull-back."""
    shot = replace(SHOT, motion_strength=1.0, frame_count=frame_count)
    path = film(shot, Plan(moves, pace=1.6), fitted)
    allowed = 0.0601 if "out" in moves else 0.0301
    for side, spare, shift in (
        (640, fitted.spare_x_px, "shift_x_px"),
        (360, fitted.spare_y_px, "shift_y_px"),
    ):
        beyond = np.abs(column(path, shift)) + side / 2 / column(path, "zoom") - side / 2 - spare
        assert beyond.max() <= allowed * side
    assert column(path, "zoom").max() < 1.9


@pytest.mark.parametrize("moves", EVERY)
def test_near_runs_ahead_of_far_by_2_percent_at_most(moves: tuple[str, ...]) -> None:
    path = film(replace(SHOT, motion_strength=1.0), Plan(moves, pace=1.6), SAME_ASPECT)
    for name, largest in (("relief_x_px", 0.02 * 640), ("relief_y_px", 0.02 * 360), ("relief_log", 0.04)):
        assert np.abs(column(path, name)).max() <= largest + 1e-9


def test_leftover_pixels_spare_a_pan_the_push_in() -> None:
    tight, free = (film(SHOT, Plan(("pan_right",)), fitted) for fitted in (SAME_ASPECT, PANORAMA))
    assert column(tight, "zoom").max() > 1.02
    assert column(free, "zoom").max() == 1
    assert column(free, "shift_x_px").max() > column(tight, "shift_x_px").max()
    assert free.reach_x_px < PANORAMA.spare_x_px
    assert tight.notes == ("A push-in of 5% makes room for the pan: the picture ends at the frame.",)
    assert free.notes == ()


def test_moves_that_the_picture_has_no_room_for_become_smaller_and_say_so() -> None:
    moves = ("pan_left", "pedestal_down", "roll_left")
    path = film(replace(SHOT, motion_strength=1.0), Plan(moves, pace=1.6), SAME_ASPECT)
    assert column(path, "zoom").max() == pytest.approx(1.15, abs=0.01)
    assert re.search(r"Only \d\d% of the pan and the rise and the roll is done", path.notes[-1])


def test_what_nobody_would_miss_is_not_told() -> None:
    path = film(replace(SHOT, motion_strength=0.92), Plan(("pan_left",)), SAME_ASPECT)
    (note,) = path.notes
    assert note.startswith("A push-in of 1")


@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_a_pull_back_tells_how_little_it_is(strength: float) -> None:
    path = film(replace(SHOT, motion_strength=strength), Plan(("out",)), SAME_ASPECT)
    share = 1 - path.poses[-1].zoom
    assert path.notes == (f"The pull-back is only {share:.0%}: the picture ends at the frame.",)


@pytest.mark.parametrize("other", ["tilt_up", "truck_left", "roll_right", "orbit_left", "handheld"])
@pytest.mark.parametrize("strength", [0.3, 0.5, 1.0])
def test_a_pull_back_stays_one_whatever_runs_beside_it(other: str, strength: float) -> None:
    path = film(replace(SHOT, motion_strength=strength), Plan(("out", other)), SAME_ASPECT)
    assert path.poses[-1].zoom < 0.99


def test_overscan_makes_room_for_a_pan_before_it_begins() -> None:
    path = film(replace(SHOT, overscan=True), Plan(("truck_left",)), SAME_ASPECT)
    zoom, shift = column(path, "zoom"), column(path, "shift_x_px")
    assert zoom.min() == pytest.approx(zoom.max(), rel=1e-3), "no push-in"
    assert shift[0] == pytest.approx(-shift[-1])
    assert np.abs(shift).max() + 320 / zoom[0] <= 320 * 1.06
    assert path.poses[0] != REST


def test_overscan_is_not_for_other_moves() -> None:
    path = film(replace(SHOT, overscan=True), Plan(("in",)), SAME_ASPECT)
    assert path.poses[0] == REST
    assert path.notes[0].startswith("Overscan is only for pans")


def test_a_short_clip_moves_less_so_that_it_does_not_race() -> None:
    long, short = (film(replace(SHOT, frame_count=count), Plan(("in",)), SAME_ASPECT) for count in (96, 24))
    assert np.log(short.poses[-1].zoom) == pytest.approx(np.log(long.poses[-1].zoom) / 2, rel=0.01)


def test_the_seed_moves_the_float_and_nothing_else() -> None:
    paths = [film(replace(SHOT, seed=seed), Plan(("pan_left",)), SAME_ASPECT) for seed in range(20)]
    ends = [path.poses[-1].shift_x_px for path in paths]
    assert len(set(ends)) == 20
    assert max(ends) < -0.04 * 640
    assert all(np.abs(column(path, "shift_y_px")).max() < 0.005 * 640 for path in paths)


def test_a_push_in_that_nobody_asked_for_drifts_round_a_little_to_a_side_of_the_seed() -> None:
    unasked = Plan(("in",), pace=0.6, asked=False)
    ends = [film(replace(SHOT, seed=seed), unasked, SAME_ASPECT).poses[-1].relief_x_px for seed in range(8)]
    assert {end > 0 for end in ends} == {True, False}
    assert {round(abs(end), 6) for end in ends} == {round(abs(ends[0]), 6)}
    assert film(SHOT, Plan(("in",)), SAME_ASPECT).poses[-1].relief_x_px == 0


def test_a_handheld_camera_shakes_about_its_place() -> None:
    path = film(SHOT, Plan(("handheld",)), SAME_ASPECT)
    for name in ("shift_x_px", "shift_y_px", "roll_rad"):
        way = column(path, name)[36:]
        assert np.ptp(way) > 0
        assert np.count_nonzero(np.diff(np.sign(np.diff(way)))) >= 4, "it turns back again and again"
    assert 0.002 * 640 < np.abs(column(path, "shift_x_px")).max() < 0.0075 * 640


@pytest.mark.parametrize("moves", EVERY)
def test_every_pose_is_made_of_plain_numbers(moves: tuple[str, ...]) -> None:
    assert all(np.isfinite(astuple(pose)).all() for pose in film(SHOT, Plan(moves), PANORAMA).poses)
