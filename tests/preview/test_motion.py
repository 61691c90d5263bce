"""Every move of the camera is seen in the picture: the asked way, as far as asked, near before far.

Content runs against the camera: it slides left when the camera goes right, turns left when it rolls right.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.preview import pictures

from wanvideo.preview import Plan, Shot
from wanvideo.preview.frames import shoot
from wanvideo.preview.picture import Pixels, fit
from wanvideo.preview.room import film
from wanvideo.preview.scene_analysis import analyse, pivot_of

WIDTH_PX, HEIGHT_PX = 320, 180
SHOT = Shot(
    b"", width_px=WIDTH_PX, height_px=HEIGHT_PX, frame_count=25, fps=Shot.fps / 4, motion_strength=0.5
)
HARBOUR = Path(__file__).parents[2] / "examples" / "harbour.png"
PICTURES = ("grain", "street", "portrait", "harbour")
# growth of what is seen, its way to the right and down as shares of the frame's sides, its turn clockwise
Seen = dict[str, float]
EXPECTED: dict[str, Seen] = {
    "in": {"growth": 0.13},
    "out": {"growth": -0.075},
    "pan_left": {"right": 0.055},
    "pan_right": {"right": -0.055},
    "truck_left": {"right": 0.055},
    "truck_right": {"right": -0.055},
    "tilt_up": {"down": 0.06},
    "tilt_down": {"down": -0.06},
    "pedestal_up": {"down": 0.06},
    "pedestal_down": {"down": -0.06},
    "roll_left": {"turn": 0.05},
    "roll_right": {"turn": -0.05},
}


@cache
def picture(name: str) -> Image.Image:
    if name == "harbour":
        with Image.open(HARBOUR) as opened:
            return opened.convert("RGB").resize((640, 360), Image.Resampling.LANCZOS)
    drawn: Image.Image = getattr(pictures, name)()
    return drawn


def lumas(name: str, moves: tuple[str, ...], *at: int, **fields: Any) -> list[Pixels]:
    """The luma of the frames `at`, before they are encoded."""
    shot, plan = replace(SHOT, **fields), Plan(moves)
    shown = picture(name)
    fitted = fit(shown.size, shot.width_px, shot.height_px)
    scene = analyse(shown, plan, shot)
    path = film(shot, plan, fitted, pivot_of(scene))
    made = {view.index: view.frame.luma for view in shoot(shown, fitted, scene, path, shot)}
    return [made[index % shot.frame_count] for index in at]


def flow_of(first: Pixels, second: Pixels) -> NDArray[np.float32]:
    """Pixels that each place moves: rows * columns * (right, down)."""
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(finder.calc(first, second, np.zeros((*first.shape, 2), np.float32)), np.float32)


def textured(luma: Pixels) -> NDArray[np.bool_]:
    slope = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    inside = np.zeros(luma.shape, bool)
    inside[HEIGHT_PX // 10 : -HEIGHT_PX // 10, WIDTH_PX // 10 : -WIDTH_PX // 10] = True
    return np.asarray(inside & (slope > np.quantile(slope, 0.6)), bool)


def similarity(first: Pixels, second: Pixels) -> Seen:
    flow, used = flow_of(first, second), textured(first)
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX] - np.array([HEIGHT_PX / 2, WIDTH_PX / 2])[:, None, None]
    x, y, along_x, along_y = x[used], y[used], flow[..., 0][used], flow[..., 1][used]
    nought, one = np.zeros_like(x), np.ones_like(x)
    equations = np.vstack([np.stack([x, -y, one, nought], 1), np.stack([y, x, nought, one], 1)])
    wanted = np.r_[along_x, along_y]
    for _round in range(3):  # a few wrong matches must not decide
        found = np.linalg.lstsq(equations, wanted, rcond=None)[0]
        error = np.abs(equations @ found - wanted)
        near = error <= np.quantile(error, 0.8)
        equations, wanted = equations[near], wanted[near]
    growth, turn, right_px, down_px = found
    return {
        "growth": float(growth),
        "turn": float(turn),
        "right": float(right_px) / WIDTH_PX,
        "down": float(down_px) / HEIGHT_PX,
    }


@pytest.mark.parametrize("move", EXPECTED)
@pytest.mark.parametrize("name", PICTURES)
def test_every_move_goes_the_asked_way(name: str, move: str) -> None:
    """At least 40 % as far as is meant, and in no other way by more than a quarter of that."""
    seen = similarity(*lumas(name, (move,), 0, -1))
    ((way, expected),) = EXPECTED[move].items()
    assert seen[way] / expected > 0.4, seen
    for other, whole in (("growth", 0.13), ("turn", 0.05), ("right", 0.055), ("down", 0.06)):
        if other != way and not (other == "growth" and move not in ("in", "out")):
            assert abs(seen[other]) < 0.25 * whole, (other, seen)
    if move not in ("in", "out"):
        assert -0.02 < seen["growth"] < 0.11, "room for a move is a slight push-in, never a pull-back"


@pytest.mark.parametrize("move", ["in", "truck_right", "tilt_up", "roll_left"])
def test_strength_scales_every_move_and_nought_is_a_still(move: str) -> None:
    ((way, expected),) = EXPECTED[move].items()
    seen = [
        similarity(*lumas("grain", (move,), 0, -1, motion_strength=strength))[way] / expected
        for strength in (0.0, 0.25, 0.5, 0.75)
    ]
    assert abs(seen[0]) < 0.01
    assert seen == sorted(seen)
    assert seen[1] > 0.3


def near_and_far(name: str, move: str, strength: float) -> tuple[float, float]:
    """How far to the right what lies near, low in the frame, and what lies far, high in it, goes: shares."""
    first, last = lumas(name, (move,), 0, -1, motion_strength=strength)
    right_px, used = flow_of(first, last)[..., 0], textured(first)
    middle = slice(WIDTH_PX // 3, 2 * WIDTH_PX // 3)
    near = right_px[-HEIGHT_PX // 4 : -HEIGHT_PX // 10, middle][
        used[-HEIGHT_PX // 4 : -HEIGHT_PX // 10, middle]
    ]
    far = right_px[HEIGHT_PX // 10 : HEIGHT_PX // 2, middle][used[HEIGHT_PX // 10 : HEIGHT_PX // 2, middle]]
    return float(np.median(near)) / WIDTH_PX, float(np.median(far)) / WIDTH_PX


@pytest.mark.parametrize("name", ["grain", "street"])
def test_an_orbit_turns_about_the_middle_distance(name: str) -> None:
    """Round to the right: near things go left, far ones right."""
    near, far = near_and_far(name, "orbit_right", 0.75)
    assert near < -0.001 < 0.001 < far
    near, far = near_and_far(name, "orbit_left", 0.75)
    assert far < -0.001 < 0.001 < near


@pytest.mark.parametrize("name", ["grain", "street"])
def test_near_things_run_ahead_on_a_truck_and_not_on_a_pan(name: str) -> None:
    near, far = near_and_far(name, "truck_right", 0.5)
    assert near / far > 1.1
    near, far = near_and_far(name, "pan_right", 0.5)
    assert near / far == pytest.approx(1, abs=0.05)


def test_a_person_stays_one_piece_while_the_wall_moves_behind() -> None:
    """The face shifts as a whole: it neither bends nor tears where the camera travels."""
    first, last = lumas("portrait", ("truck_right",), 0, -1, motion_strength=0.75)
    flow, used = flow_of(first, last), textured(first)
    face = np.zeros(used.shape, bool)
    face[48:100, 135:185] = True
    way = flow[face & used]
    x, y = np.nonzero(face & used)[::-1]
    equations = np.stack([x - 160, y - 75, np.ones_like(x)], 1).astype(float)
    slopes = np.linalg.lstsq(equations, way[:, 0], rcond=None)[0]
    assert abs(slopes[1]) < 0.01, "the face does not lean"
    wall = used & ~face
    wall[:, 80:240] = False
    assert np.median(way[:, 0]) < 1.03 * np.median(flow[wall][:, 0]) < 0, "and runs ahead of the wall"


def test_a_hand_shakes_about_its_place_and_every_hand_otherwise() -> None:
    first, *later = lumas("grain", ("handheld",), 0, 6, 9, 12, 15, 18, 21, 24)
    ways = np.array([[seen["right"], seen["down"]] for seen in (similarity(first, one) for one in later)])
    assert 0.0005 < np.abs(ways).max() < 0.02
    assert np.abs(ways.mean(axis=0)).max() < np.ptp(ways, axis=0).max(), "it does not go away"
    other = lumas("grain", ("handheld",), 12, seed=1)[0]
    assert not np.array_equal(later[2], other)


def test_moves_on_several_axes_run_together() -> None:
    seen = similarity(*lumas("grain", ("in", "pan_left", "tilt_up"), 0, -1))
    assert seen["growth"] > 0.05
    assert seen["right"] > 0.02
    assert seen["down"] > 0.025


def test_overscan_pans_without_a_push_in() -> None:
    seen = similarity(*lumas("grain", ("pan_right",), 0, -1, overscan=True))
    assert seen["right"] < -0.04
    assert abs(seen["growth"]) < 0.01


@pytest.mark.parametrize(
    "move", ["out", "truck_right", "pedestal_up", "roll_right", "orbit_left", "handheld"]
)
@pytest.mark.parametrize("name", PICTURES)
def test_the_rim_shows_neither_black_nor_a_mirror(name: str, move: str) -> None:
    first, last = lumas(name, (move,), 0, -1, motion_strength=1.0)
    for turned, before in (
        (last, first),
        (last[::-1], first[::-1]),
        (last.T, first.T),
        (last.T[::-1], first.T[::-1]),
    ):
        assert turned[:4].min() >= int(first.min()) - 3
        mirrored = np.abs(turned[:12].astype(int) - turned[12:24][::-1]).mean()
        usual = np.abs(before[:12].astype(int) - before[12:24][::-1]).mean()
        assert mirrored > 0.3 * usual, "the rim is its own mirror image"
