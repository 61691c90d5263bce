"""Water that ripples and clouds that drift, inside the regions that were found, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np

from wanvideo.preview.effects import planes
from wanvideo.preview.effects.air import unit_px
from wanvideo.preview.effects.noise import Field, clouds_of_noise, look_up
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.picture import Pixels
from wanvideo.preview.view import View

# A region's map rises over 3 % of the width for the sky and 2 % for water. Displacements grow with the map
# and stay below these lengths, so that nothing is ever fetched from outside the region.
_DRIFT_SHARE = 0.028  # of the width, there and back, in one turn of the two phases
_TURN_S = 5.0
_RIPPLE_SHARE = 0.006  # of the unit
_GLINT = 0.085


class Clouds:
    """Two copies drift one after the other, each faded out while it jumps back, so that the drift never
    ends.
    """

    def __init__(self, setting: Setting) -> None:
        shot, chance = setting.shot, setting.chance
        way = float(chance.choice([-1, 1]))
        effort = min(1.0, 0.5 + shot.motion_strength)
        self._stride_px = way * effort * _DRIFT_SHARE * shot.width_px / 2
        rows, columns = shot.height_px // 2, shot.width_px // 2
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        self._x, self._y = np.ascontiguousarray(x), np.ascontiguousarray(y)

    def apply(self, view: View, arrival: float) -> None:
        sky = view.region("sky")
        if sky is None or not sky.any():
            return
        end = int(np.flatnonzero(sky.any(axis=1))[-1]) + 1
        region = sky[:end].astype(np.float32) * np.float32(arrival * self._stride_px * view.zoom / 255)
        turn = view.time_s / _TURN_S + 0.25
        phases = [turn % 1, (turn + 0.5) % 1]
        maps = [self._x[:end] - region * np.float32(phase - 0.5) for phase in phases]
        share = 1 - abs(2 * phases[0] - 1)
        for plane in view.frame.planes():
            half = plane.shape[0] == sky.shape[0]
            seen = (
                plane[:end]
                if half
                else planes.bytes_of(
                    cv2.resize(plane[: 2 * end], (sky.shape[1], end), interpolation=cv2.INTER_AREA)
                )
            )
            moved = [
                cv2.remap(seen, x, self._y[:end], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
                for x in maps
            ]
            flown = planes.bytes_of(cv2.addWeighted(moved[0], share, moved[1], 1 - share, 0))
            if half:
                plane[:end] = flown
            else:
                _add_change(plane[: 2 * end], seen, flown)


def _add_change(luma: Pixels, before: Pixels, after: Pixels) -> None:
    """Clouds are soft: what changes at half the size is enough, and the grain of the picture stays."""
    change = cv2.subtract(after, before, dtype=cv2.CV_16S)
    wide = cv2.resize(change, (luma.shape[1], luma.shape[0]), interpolation=cv2.INTER_LINEAR)
    cv2.add(luma, wide, dst=luma, dtype=cv2.CV_8U)


class Water:
    """Ripples seen in perspective, from fine at the waterline to wide before the feet, with a glint."""

    def __init__(self, setting: Setting) -> None:
        shot, chance = setting.shot, setting.chance
        self._field = clouds_of_noise(chance, 1.05)
        self._slope = clouds_of_noise(chance, 1.05)
        self._effort = min(1.0, 0.4 + 1.2 * shot.motion_strength)
        self._unit_px = unit_px(shot)
        self._sides_px = (shot.width_px, shot.height_px)
        self._waterline_px: float | None = None
        y, x = np.mgrid[0 : shot.height_px, 0 : shot.width_px].astype(np.float32)
        self._x, self._y = np.ascontiguousarray(x), np.ascontiguousarray(y)

    def apply(self, view: View, arrival: float) -> None:
        water = view.region("water")
        if water is None or not water.any():
            return
        rows = np.flatnonzero(water.any(axis=1))
        begin, end = int(rows[0]) & ~1, int(rows[-1]) + 1
        end += end & 1
        end = min(end, water.shape[0])
        part = water[begin:end]
        small = (max(2, part.shape[1] // 2), max(2, part.shape[0] // 2))
        calm: Field = np.asarray(
            cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.float32
        ) / np.float32(255)
        first, second, depth = self._ripples(view, 2 * begin, 2 * end, small)
        reach: Field = np.float32(2 * _RIPPLE_SHARE * self._unit_px * self._effort * arrival) * depth * calm
        sideways: Field = (first - np.float32(0.5)) * reach
        upwards: Field = (second - np.float32(0.5)) * reach * np.float32(0.45)
        glint = np.float32(2 * _GLINT * self._effort * arrival) * np.sqrt(depth) * calm * (first - second)
        self._shift(view.frame.luma, sideways, upwards, (2 * begin, 2 * end), 1.0)
        for plane in (view.frame.blue, view.frame.red):
            self._shift(plane, sideways, upwards, (begin, end), 0.5)
        lit = view.frame.luma[2 * begin : 2 * end]
        shine = cv2.resize(1 + glint, (lit.shape[1], lit.shape[0]), interpolation=cv2.INTER_LINEAR)
        lit[:] = planes.bytes_of(np.rint(np.clip(lit * shine, 0, planes.WHITE)))

    def _ripples(
        self, view: View, begin_px: int, end_px: int, size: tuple[int, int]
    ) -> tuple[Field, Field, Field]:
        """Two fields of waves, 0..1, and how near the water is, 0 at the waterline to about 1."""
        middle_x, middle_y = self._sides_px[0] / 2, self._sides_px[1] / 2
        if self._waterline_px is None:
            self._waterline_px = (begin_px - middle_y) / view.zoom + view.shift_y_px
        y = np.linspace(begin_px, end_px, size[1], endpoint=False, dtype=np.float32)[:, None]
        x = np.linspace(0, self._sides_px[0], size[0], endpoint=False, dtype=np.float32)[None, :]
        x = (x - np.float32(middle_x)) / np.float32(view.zoom) + np.float32(view.shift_x_px)
        y = (y - np.float32(middle_y)) / np.float32(view.zoom) + np.float32(
            view.shift_y_px - self._waterline_px
        )
        depth = np.clip(y / np.float32(0.5 * self._sides_px[1]), 0.02, None)
        far = 1 / (depth + np.float32(0.12))
        across = x * far * np.float32(44 / self._unit_px)
        along = far * np.float32(64)
        time_s = view.time_s
        swell = look_up(
            self._field,
            across + np.float32(3.1 * time_s),
            np.broadcast_to(along + np.float32(7.0 * time_s), across.shape),
        )
        other = look_up(
            self._slope,
            across * np.float32(1.3) - np.float32(2.3 * time_s),
            np.broadcast_to(np.float32(1.4) * along - np.float32(5.0 * time_s), across.shape),
        )
        near = np.minimum(depth, 1) * np.ones_like(across)
        return swell, other, near

    def _shift(
        self, plane: Pixels, sideways: Field, upwards: Field, rows: tuple[int, int], scale: float
    ) -> None:
        begin, end = rows
        size = (plane.shape[1], end - begin)
        x = cv2.resize(sideways, size, interpolation=cv2.INTER_LINEAR) * np.float32(scale)
        y = cv2.resize(upwards, size, interpolation=cv2.INTER_LINEAR) * np.float32(scale)
        x += self._x[: end - begin, : size[0]]
        y += self._y[: end - begin, : size[0]]
        seen = np.ascontiguousarray(plane[begin:end])
        plane[begin:end] = cv2.remap(seen, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
