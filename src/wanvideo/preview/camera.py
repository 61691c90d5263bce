"""The path of the camera: moves and their strength to one viewport per frame that never shows what is not
there.

Three things give a move room, in this order: pixels that the crop left over; a stretch of the outermost
picture, so slight that it reads as lens breathing; and, for pans only, a slow push-in. No border is ever
painted or mirrored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.picture import Fit
from wanvideo.preview.shot import Shot

Track = NDArray[np.float64]

# What a move covers in a clip of 4 s at full strength: as the natural logarithm of the zoom, or as a share of
# the frame's width or height. Half of it, at the default strength, is what looked right in the study of seven
# pictures.
PUSH_LOG = math.log(1.30)
PULL_GROWTH = 1.6  # a pull-back nears its largest reach, twice PULL_STRETCH_SHARE, at this rate
PAN_SHARE = 0.11
RISE_SHARE = 0.13
FLOAT_SHARE = 0.004
LARGEST_PUSH_LOG = math.log(1.45)
LARGEST_SHARE = 0.16
FREE_STRIDE = 1.6
USUAL_DURATION_S = 4.0
# The stretch grows with the fourth power of the distance from the middle: smooth, and all at the rim.
STRETCH_POWER = 4
PAN_STRETCH_SHARE = 0.03
PULL_STRETCH_SHARE = 0.06


@dataclass(frozen=True)
class Path:
    """One viewport per frame, in frame pixels of the reference; the first is the reference itself.

    `zoom` is 1 at the start and above 1 when nearer; `shift_x_px`, `shift_y_px` move the viewport's centre to
    the right and down; at most `reach_x_px`, `reach_y_px` beyond the reference are seen, never more than the
    crop left over.
    """

    zoom: Track
    shift_x_px: Track
    shift_y_px: Track
    reach_x_px: float
    reach_y_px: float


def film(shot: Shot, moves: tuple[str, ...], pace: float, fitted: Fit) -> Path:
    """Lay out the camera's path over all frames. Moves on one axis follow each other, moves on several run
    together.
    """
    time = np.linspace(0.0, 1.0, shot.frame_count) if shot.frame_count > 1 else np.zeros(1)
    effort = 0.0 if moves == ("still",) else shot.motion_strength * pace
    effort *= min(1.0, math.sqrt(shot.duration_s / USUAL_DURATION_S))  # a short clip must not race

    pull_log = -math.log(1 + 2 * PULL_STRETCH_SHARE * math.tanh(PULL_GROWTH * effort))
    push_log = min(PUSH_LOG * effort, LARGEST_PUSH_LOG)
    across = _stride(min(PAN_SHARE * effort, LARGEST_SHARE) * shot.width_px, fitted.spare_x_px)
    along = _stride(min(RISE_SHARE * effort, LARGEST_SHARE) * shot.height_px, fitted.spare_y_px)
    zoom_log = _track(time, moves, {"in": push_log, "out": pull_log})
    shift_x = _track(time, moves, {"left": -across, "right": across})
    shift_y = _track(time, moves, {"up": -along, "down": along})

    float_x, float_y = _float(shot, time)
    shift_x += float_x * shot.width_px * effort
    shift_y += float_y * shot.width_px * effort

    stretch = PULL_STRETCH_SHARE if "out" in moves else PAN_STRETCH_SHARE
    zoom_log = _with_room(zoom_log, shift_x, shift_y, stretch, fitted)
    half_x = fitted.width_px / 2 * np.exp(-zoom_log)
    half_y = fitted.height_px / 2 * np.exp(-zoom_log)
    return Path(
        zoom=np.exp(zoom_log),
        shift_x_px=shift_x,
        shift_y_px=shift_y,
        reach_x_px=min(fitted.spare_x_px, float(np.max(np.abs(shift_x) + half_x)) - fitted.width_px / 2),
        reach_y_px=min(fitted.spare_y_px, float(np.max(np.abs(shift_y) + half_y)) - fitted.height_px / 2),
    )


def _track(time: Track, moves: tuple[str, ...], step_of: dict[str, float]) -> Track:
    """This axis' moves one after the other, each in an equal share of the time, eased in and out."""
    steps = [step_of[move] for move in moves if move in step_of]
    track = np.zeros_like(time)
    for index, step in enumerate(steps):
        progress = np.clip(time * len(steps) - index, 0.0, 1.0)
        track += step * (0.5 - 0.5 * np.cos(math.pi * progress))
    return track


def _stride(usual_px: float, spare_px: float) -> float:
    """How far a pan goes: further than usual where the crop left real pixels to show."""
    return max(usual_px, min(FREE_STRIDE * usual_px, spare_px))


def _float(shot: Shot, time: Track) -> tuple[Track, Track]:
    """The seeded, slow sway of a held camera, as shares of the width; nothing at the first frame."""
    chance = np.random.default_rng(shot.seed)
    seconds = time * shot.duration_s
    arrival = np.clip(seconds / 1.5, 0.0, 1.0)
    arrival = arrival * arrival * (3 - 2 * arrival)
    sways = []
    for _axis in range(2):
        sway = np.zeros_like(time)
        for slowest_hz in (0.08, 0.17):
            frequency_hz = slowest_hz * chance.uniform(0.8, 1.25)
            sway += chance.uniform(0.5, 1.0) * np.sin(math.tau * (frequency_hz * seconds + chance.uniform()))
        sways.append(sway * arrival * FLOAT_SHARE / 2)
    return sways[0], sways[1]


def _with_room(zoom_log: Track, shift_x: Track, shift_y: Track, stretch: float, fitted: Fit) -> Track:
    """Add the least push-in that keeps every viewport within the picture and the allowed stretch.

    It follows the way of the shift in proportion, so that the clip never shows where it sets in.
    """
    lacking = np.zeros_like(zoom_log)
    way = np.zeros_like(zoom_log)
    for side_px, spare_px, shift in (
        (fitted.width_px, fitted.spare_x_px, shift_x),
        (fitted.height_px, fitted.spare_y_px, shift_y),
    ):
        room_px = side_px / 2 + spare_px + stretch * side_px - np.abs(shift)
        lacking = np.maximum(lacking, -np.log(room_px / (side_px / 2)) - zoom_log)
        way += (shift / side_px) ** 2
    way = np.sqrt(way)
    needed = lacking > 1e-12
    if not needed.any():
        return zoom_log
    return zoom_log + way * float(np.max(lacking[needed] / np.maximum(way[needed], 1e-9)))


def sample(middle_px: float, half_px: float, low_px: float, high_px: float, at: Track) -> Track:
    """Where a viewport looks along one axis: positions in the picture for `at`, the frame's pixels from -1 to
    1.

    The viewport is `middle_px` +- `half_px`. Where it would leave the picture at `low_px` or `high_px`, the
    outermost part on that side is stretched so that the frame ends exactly with the picture.
    """
    seen = middle_px + half_px * at
    beyond_low = max(0.0, low_px - (middle_px - half_px))
    beyond_high = max(0.0, (middle_px + half_px) - high_px)
    if beyond_low:
        seen += beyond_low * np.maximum(-at, 0.0) ** STRETCH_POWER
    if beyond_high:
        seen -= beyond_high * np.maximum(at, 0.0) ** STRETCH_POWER
    return seen
