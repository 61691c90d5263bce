"""A path for the camera that never shows what is not there, and what it cost.

Three things give a move room, in this order: pixels that the crop left over; a stretch of the outermost
picture, so slight that it reads as lens breathing; and a slow push-in. No border is ever painted or mirrored.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wanvideo.preview import camera
from wanvideo.preview.camera import Track, Tracks
from wanvideo.preview.picture import Fit
from wanvideo.preview.plan import Plan
from wanvideo.preview.shot import Shot

STRETCH_SHARE: Final = 0.03
PULL_STRETCH_SHARE: Final = 0.06
LARGEST_PUSH_LOG: Final = math.log(1.15)  # more for the sake of room would be another shot
WORTH_SAYING: Final = 0.02
SHORT_WORTH_SAYING: Final = 0.1  # nobody misses the last tenth of a move
_NAMES: Final = {
    "pan": "pan", "truck": "truck", "tilt": "tilt",
    "pedestal": "rise", "orbit": "orbit", "roll": "roll", "handheld": "shake",
}  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """The camera at one frame; see `Tracks`. `zoom` is 1 at the reference."""

    zoom: float
    shift_x_px: float
    shift_y_px: float
    roll_rad: float
    relief_log: float = 0.0
    relief_x_px: float = 0.0
    relief_y_px: float = 0.0
    keystone: float = 0.0

    @property
    def at_rest(self) -> bool:
        """Whether it sees exactly the reference."""
        return self == REST


REST: Final = Pose(1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Path:
    """One pose a frame; the first is the reference itself unless the shot gave that up.

    Things of nearness `pivot` go just where the pose says. At most `reach_x_px`, `reach_y_px` beyond the
    reference are seen, never more than the crop left over. `notes` say in plain words where a move was
    limited.
    """

    poses: tuple[Pose, ...]
    pivot: float
    reach_x_px: float
    reach_y_px: float
    notes: tuple[str, ...] = ()

    @property
    def farthest_zoom(self) -> float:
        return max(pose.zoom for pose in self.poses)


def film(shot: Shot, plan: Plan, fitted: Fit, pivot: float = 0.5) -> Path:
    """The path of the camera over all frames of `shot`, and notes on where it is not what was asked."""
    asked = camera.track(shot, plan, fitted)
    notes = []
    if shot.overscan and not camera.is_plain_travel(plan):
        notes.append(
            "Overscan is only for pans, trucks, tilts and rises: the first frame is the picture itself."
        )
    if shot.overscan and camera.is_plain_travel(plan):
        zoom_log = _overscanned(asked, fitted)
        asked = replace(
            asked,
            shift_x_px=asked.shift_x_px - asked.shift_x_px[-1] / 2,
            shift_y_px=asked.shift_y_px - asked.shift_y_px[-1] / 2,
            zoom_log=zoom_log,
        )
    stretch = PULL_STRETCH_SHARE if "out" in plan.moves else STRETCH_SHARE
    given, kept = _fitting(asked, stretch, fitted, pivot)
    push_log = float(np.max(given.zoom_log - asked.zoom_log))
    notes += _limits(plan, given, push_log, kept)
    reach_x, reach_y = (
        float(np.max(extent + moved) - side_px / 2) for side_px, extent, moved in _seen(given, fitted, pivot)
    )
    columns = zip(
        np.exp(given.zoom_log).tolist(),
        given.shift_x_px.tolist(),
        given.shift_y_px.tolist(),
        given.roll_rad.tolist(),
        given.relief_log.tolist(),
        given.relief_x_px.tolist(),
        given.relief_y_px.tolist(),
        given.keystone.tolist(),
        strict=True,
    )
    return Path(
        poses=tuple(Pose(*values) for values in columns),
        pivot=pivot,
        reach_x_px=min(fitted.spare_x_px, reach_x),
        reach_y_px=min(fitted.spare_y_px, reach_y),
        notes=tuple(notes),
    )


def _seen(tracks: Tracks, fitted: Fit, pivot: float) -> tuple[tuple[float, Track, Track], ...]:
    """For x and y: the side, and how far the corners of every frame lie from the viewport's middle and that
    from the reference's, in pixels of the reference; corners * frames, near and far ones.
    """
    extents_x, extents_y, moved_x, moved_y = [], [], [], []
    for side, level, depth in itertools.product((-1, 1), (-1, 1), (-pivot, 1 - pivot)):
        x = side * fitted.width_px / 2
        y = level * fitted.height_px / 2 * (1 - tracks.keystone * side)
        nearer = np.exp(-tracks.zoom_log - tracks.relief_log * depth)
        cosine, sine = np.cos(tracks.roll_rad), np.sin(tracks.roll_rad)
        extents_x.append(np.abs(x * cosine - y * sine) * nearer)
        extents_y.append(np.abs(x * sine + y * cosine) * nearer)
        moved_x.append(np.abs(tracks.shift_x_px + tracks.relief_x_px * depth))
        moved_y.append(np.abs(tracks.shift_y_px + tracks.relief_y_px * depth))
    return (
        (float(fitted.width_px), np.array(extents_x), np.array(moved_x)),
        (float(fitted.height_px), np.array(extents_y), np.array(moved_y)),
    )


def _fitting(tracks: Tracks, stretch: float, fitted: Fit, pivot: float) -> tuple[Tracks, float]:
    """The tracks with room for all they show, and what share of the moves is left of them."""
    largest_push_log = LARGEST_PUSH_LOG
    if float(tracks.zoom_log.min()) < 0:  # a pull-back must stay one
        largest_push_log = min(LARGEST_PUSH_LOG, -float(tracks.zoom_log.min()) / 2)
    least, share, most = 0.0, 1.0, 1.0
    for _halving in range(12):
        tried = tracks if share == 1 else _smaller(tracks, share)
        zoom_log = _with_room(tried, stretch, fitted, pivot)
        if float(np.max(zoom_log - tracks.zoom_log)) <= largest_push_log:
            least = share
            if share == 1:
                break
        else:
            most = share
        share = (least + most) / 2
    kept = tracks if least == 1 else _smaller(tracks, least)
    return replace(kept, zoom_log=_with_room(kept, stretch, fitted, pivot)), least


def _smaller(tracks: Tracks, share: float) -> Tracks:
    return replace(
        tracks,
        shift_x_px=tracks.shift_x_px * share,
        shift_y_px=tracks.shift_y_px * share,
        roll_rad=tracks.roll_rad * share,
        relief_x_px=tracks.relief_x_px * share,
        relief_y_px=tracks.relief_y_px * share,
        keystone=tracks.keystone * share,
        sway_share=tracks.sway_share * share,
    )


def _with_room(tracks: Tracks, stretch: float, fitted: Fit, pivot: float) -> Track:
    """Add the least push-in that keeps every viewport within the picture and the allowed stretch.

    It follows the way of the other moves in proportion, so that the clip never shows where it sets in.
    """
    lacking = np.zeros_like(tracks.zoom_log)
    spares_px = (fitted.spare_x_px, fitted.spare_y_px)
    for (side_px, extent, moved), spare_px in zip(_seen(tracks, fitted, pivot), spares_px, strict=True):
        room_px = side_px * (0.5 + stretch) + spare_px - moved
        lacking = np.maximum(lacking, np.max(np.log(extent / room_px), axis=0))
    needed = lacking > 1e-9
    if not needed.any():
        return tracks.zoom_log
    way = np.sqrt(
        (tracks.shift_x_px / fitted.width_px) ** 2
        + (tracks.shift_y_px / fitted.height_px) ** 2
        + (tracks.relief_x_px / fitted.width_px) ** 2
        + (tracks.relief_y_px / fitted.height_px) ** 2
        + tracks.roll_rad**2
        + tracks.keystone**2
        + np.minimum(tracks.zoom_log, 0.0) ** 2
    )
    # The sway comes and goes; the room for it must not.
    way = np.maximum(way, 1.3 * tracks.sway_share * tracks.arrival)
    return np.asarray(tracks.zoom_log + way * float(np.max(lacking[needed] / np.maximum(way[needed], 1e-9))))


def _overscanned(tracks: Tracks, fitted: Fit) -> Track:
    """A zoom that stays the same all along, so that a pan from one side to the other needs no stretch."""
    sway_px = tracks.sway_share * fitted.width_px
    needed = 0.0
    for side_px, spare_px, shift in (
        (fitted.width_px, fitted.spare_x_px, tracks.shift_x_px),
        (fitted.height_px, fitted.spare_y_px, tracks.shift_y_px),
    ):
        lacking_px = abs(float(shift[-1])) / 2 + sway_px - spare_px
        needed = max(needed, -math.log(1 - 2 * max(0.0, lacking_px) / side_px))
    return np.full_like(tracks.zoom_log, needed)


def _limits(plan: Plan, given: Tracks, push_log: float, kept: float) -> list[str]:
    """What the viewer might miss: a pull-back that is hardly one, a push-in that nobody asked for."""
    notes = []
    reached = 1 - math.exp(float(given.zoom_log.min()))
    if "out" in plan.moves and reached > 0:
        notes.append(f"The pull-back is only {reached:.0%}: the picture ends at the frame.")
    kinds = [move.partition("_")[0] for move in plan.moves if move not in ("still", "in", "out")]
    named = " and the ".join(dict.fromkeys(_NAMES[kind] for kind in kinds))
    if kinds and push_log > math.log1p(WORTH_SAYING):
        push = math.expm1(push_log)
        notes.append(f"A push-in of {push:.0%} makes room for the {named}: the picture ends at the frame.")
    if kinds and kept < 1 - SHORT_WORTH_SAYING:
        notes.append(f"Only {kept:.0%} of the {named} is done: the picture has no room for more.")
    return notes
