"""Things that drift through the air: where they are at a time, and where the camera sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.shot import Shot
from wanvideo.preview.view import View

Numbers = NDArray[np.float64]

_MARGIN = 0.16  # of the unit, around the frame: nothing is seen to appear or to vanish


def unit_px(shot: Shot) -> float:
    """The length all sizes are shares of: the side of a square with the frame's area."""
    return math.sqrt(shot.width_px * shot.height_px)


def density(shot: Shot) -> float:
    """How many things there are, against the usual number."""
    return 0.5 + shot.motion_strength


@dataclass(frozen=True)
class Layer:
    """Things of one kind at one distance. Lengths are shares of the unit, speeds per second, downwards.

    `nearness` is how strongly the camera's own movement shows: 1 like the picture, more in front of it.
    """

    count: int
    speed: tuple[float, float]
    wind: float
    sway: tuple[float, float]
    sway_hz: tuple[float, float]
    nearness: float


class Drift:
    """One layer, spread evenly; what leaves on one side returns on the other."""

    def __init__(self, layer: Layer, shot: Shot, chance: np.random.Generator) -> None:
        self.count = max(1, round(layer.count * density(shot)))
        self._nearness = layer.nearness
        self._unit_px = unit_px(shot)
        self._sides_px = np.array([shot.width_px, shot.height_px], np.float64)
        self._box = self._sides_px / self._unit_px + 2 * _MARGIN
        self._start = chance.random((self.count, 2)) * self._box
        self._speed = np.stack(
            [
                layer.wind * chance.uniform(0.6, 1.4, self.count),
                chance.uniform(*layer.speed, self.count),
            ],
            axis=1,
        )
        self._sway = chance.uniform(*layer.sway, self.count)
        self._sway_hz = chance.uniform(*layer.sway_hz, (2, self.count))
        self._sway_phase = chance.random((2, self.count))

    def seen(self, view: View) -> tuple[Numbers, Numbers]:
        """Where they are in the frame, in pixels to the right and down; some are outside."""
        place = self._start + self._speed * view.time_s
        swing = np.sin(math.tau * (self._sway_hz * view.time_s + self._sway_phase))
        place[:, 0] += self._sway * swing[0]
        place[:, 1] += 0.4 * self._sway * swing[1]
        place -= np.array([view.shift_x_px, view.shift_y_px]) * self._nearness / self._unit_px
        place = place % self._box - _MARGIN
        from_middle = (place * self._unit_px - self._sides_px / 2) * view.zoom**self._nearness
        across, along = math.cos(view.roll_rad), math.sin(view.roll_rad)
        x, y = from_middle[:, 0], from_middle[:, 1]
        return (
            x * across + y * along + self._sides_px[0] / 2,
            y * across - x * along + self._sides_px[1] / 2,
        )
