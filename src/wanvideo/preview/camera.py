"""What the camera does: moves, their strength and the shot's length to eased tracks, one value a frame.

Turning the camera (pan, tilt, roll, a hand's shake) moves everything alike; carrying it (push, pull, truck,
pedestal, orbit) moves near things more than far ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.picture import Fit
from wanvideo.preview.plan import Plan
from wanvideo.preview.shot import Shot

Track = NDArray[np.float64]

# What a move covers in a clip of 4 s at full strength: as the natural logarithm of the zoom, in radians, or
# as a share of the frame's width or height. Half of it, at the default strength, is what looked right in the
# study of seven pictures.
PUSH_LOG: Final = math.log(1.30)
PULL_GROWTH: Final = 1.6  # a pull-back nears its largest reach, twice PULL_REACH_SHARE, at this rate
PULL_REACH_SHARE: Final = 0.06
ACROSS_SHARE: Final = 0.11
ALONG_SHARE: Final = 0.12
ROLL_RAD: Final = 0.10
KEYSTONE: Final = 0.05
SHAKE_SHARE: Final = 0.011
SHAKE_ROLL_RAD: Final = 0.005
FLOAT_SHARE: Final = 0.004
LARGEST_PUSH_LOG: Final = math.log(1.45)
LARGEST_SHARE: Final = 0.16
FREE_STRIDE: Final = 1.6
USUAL_DURATION_S: Final = 4.0
# Near things may run ahead of far ones by this share of the frame's side, no more: then upright things do not
# lean, and no background is missing behind a near outline.
LARGEST_GAP_SHARE: Final = 0.02
RELIEF: Final = 0.4
ORBIT_GAIN: Final = 1.9
UNASKED_ORBIT: Final = 0.4

_SIDES: Final = ("left", "right", "up", "down")
_SHAKES_HZ: Final = ((0.45, 1.0), (0.9, 0.75), (1.7, 0.4), (2.9, 0.15))
_FLOATS_HZ: Final = ((0.08, 1.0), (0.17, 1.0))


@dataclass(frozen=True)
class Tracks:
    """What is asked of the camera, frame by frame, in frame pixels; nought is the reference.

    `zoom_log` is above 0 when nearer; the shifts move the viewport right and down; `roll_rad` turns it
    clockwise. The reliefs say how much further the nearest things go than the farthest, on each of these;
    `keystone` is by what share the right side comes nearer and the left one goes away. The sway, which the
    shifts and the roll contain, reaches `sway_share` of the width and is all there when `arrival` is 1.
    """

    zoom_log: Track
    shift_x_px: Track
    shift_y_px: Track
    roll_rad: Track
    relief_log: Track
    relief_x_px: Track
    relief_y_px: Track
    keystone: Track
    arrival: Track
    sway_share: float


def track(shot: Shot, plan: Plan, fitted: Fit) -> Tracks:
    """Lay out the moves over all frames. Those on one axis follow each other, others run together."""
    time = np.linspace(0.0, 1.0, shot.frame_count) if shot.frame_count > 1 else np.zeros(1)
    effort = 0.0 if plan.moves == ("still",) else shot.motion_strength * plan.pace
    effort *= min(1.0, math.sqrt(shot.duration_s / USUAL_DURATION_S))  # a short clip must not race
    width_px, height_px = shot.width_px, shot.height_px

    pull_log = -math.log(1 + 2 * PULL_REACH_SHARE * math.tanh(PULL_GROWTH * effort))
    push_log = min(PUSH_LOG * effort, LARGEST_PUSH_LOG)
    across = _stride(min(ACROSS_SHARE * effort, LARGEST_SHARE) * width_px, fitted.spare_x_px)
    along = _stride(min(ALONG_SHARE * effort, LARGEST_SHARE) * height_px, fitted.spare_y_px)
    across_ways = {"pan_left": -across, "pan_right": across, "truck_left": -across, "truck_right": across}
    along_ways = {"tilt_up": -along, "tilt_down": along, "pedestal_up": -along, "pedestal_down": along}

    def eased(ways: dict[str, float]) -> Track:
        return _eased(time, plan.moves, ways)

    def carried(ways: dict[str, float], verb: str, gap_px: float) -> Track:
        """The relief of moves that carry the camera; pans and tilts on the same axis have none."""
        reliefs = {
            move: math.copysign(_capped(RELIEF * abs(way), gap_px), way) if move.startswith(verb) else 0.0
            for move, way in ways.items()
        }
        return eased(reliefs)

    orbit = LARGEST_GAP_SHARE * width_px * math.tanh(ORBIT_GAIN * effort)
    swing = eased({"orbit_left": -1.0, "orbit_right": 1.0})
    chance = np.random.default_rng(shot.seed)
    if not plan.asked and plan.moves == ("in",):
        swing += UNASKED_ORBIT * chance.choice((-1.0, 1.0)) * _ease(time)
    arrival = _arrival(time, shot.duration_s)
    seconds = time * shot.duration_s
    shaken = "handheld" in plan.moves
    pitches, share = (_SHAKES_HZ, SHAKE_SHARE) if shaken else (_FLOATS_HZ, FLOAT_SHARE)
    sway_x, sway_y, sway_roll = (_sway(seconds, pitches, chance) * arrival * effort for _axis in range(3))
    return Tracks(
        zoom_log=eased({"in": push_log, "out": pull_log}),
        shift_x_px=eased(across_ways) + sway_x * share * width_px,
        shift_y_px=eased(along_ways) + sway_y * share * width_px * (0.8 if shaken else 1.0),
        roll_rad=eased({"roll_left": -ROLL_RAD * effort, "roll_right": ROLL_RAD * effort})
        + (sway_roll * SHAKE_ROLL_RAD if shaken else 0.0),
        relief_log=eased(
            {
                "in": _capped(RELIEF * push_log, 2 * LARGEST_GAP_SHARE),
                "out": -_capped(-RELIEF * pull_log, 2 * LARGEST_GAP_SHARE),
            }
        ),
        relief_x_px=carried(across_ways, "truck", LARGEST_GAP_SHARE * width_px) + orbit * swing,
        relief_y_px=carried(along_ways, "pedestal", LARGEST_GAP_SHARE * height_px),
        keystone=KEYSTONE * effort * swing,
        arrival=arrival,
        sway_share=share * effort,
    )


def is_plain_travel(plan: Plan) -> bool:
    """Whether the camera only pans, trucks, tilts or rises: what `Shot.overscan` makes room for."""
    return all(
        move.rpartition("_")[2] in _SIDES and move[:5] not in ("orbit", "roll_") for move in plan.moves
    )


def _eased(time: Track, moves: tuple[str, ...], step_of: dict[str, float]) -> Track:
    """This axis' moves one after the other, each in an equal share of the time, eased in and out."""
    steps = [step_of[move] for move in moves if move in step_of]
    way = np.zeros_like(time)
    for index, step in enumerate(steps):
        way += step * _ease(np.clip(time * len(steps) - index, 0.0, 1.0))
    return way


def _ease(progress: Track) -> Track:
    return np.asarray(0.5 - 0.5 * np.cos(math.pi * progress))


def _capped(amount: float, largest: float) -> float:
    """Nearly `amount` while that is small, and never more than `largest`; more always gives more."""
    return largest * math.tanh(amount / largest)


def _stride(usual_px: float, spare_px: float) -> float:
    """How far a pan goes: further than usual where the crop left real pixels to show."""
    return max(usual_px, min(FREE_STRIDE * usual_px, spare_px))


def _arrival(time: Track, duration_s: float) -> Track:
    """How much of the sway is there: nothing at the first frame, all of it after a second and a half."""
    come = np.clip(time * duration_s / 1.5, 0.0, 1.0)
    return np.asarray(come * come * (3 - 2 * come))


def _sway(seconds: Track, pitches: tuple[tuple[float, float], ...], chance: np.random.Generator) -> Track:
    """A seeded sum of slow sines, within -1..1."""
    sway = np.zeros_like(seconds)
    for usual_hz, loudness in pitches:
        frequency_hz = usual_hz * chance.uniform(0.8, 1.25)
        loudness *= chance.uniform(0.6, 1.0)
        sway += loudness * np.sin(math.tau * (frequency_hz * seconds + chance.uniform()))
    return sway / sum(loudness for _, loudness in pitches)
