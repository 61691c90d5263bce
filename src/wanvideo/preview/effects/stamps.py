"""Hundreds of small soft shapes laid into a plane at once, without a loop over them and without touching the
rest of the frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.effects.air import Numbers
from wanvideo.preview.effects.veil import Veil
from wanvideo.preview.picture import Pixels

Alpha = NDArray[np.float32]
Places = NDArray[np.int32]

_LEAST = 1 / 512  # what covers less does not change a level


@dataclass(frozen=True)
class Stamps:
    """The samples of a plane that shapes touch, and how much they cover each: flat, `alpha` in 0..1.

    `index` counts samples from the plane's first one, `columns` to a row.
    """

    alpha: Alpha
    index: Places
    columns: int

    def behind(self, veils: Sequence[Veil]) -> Stamps:
        """Fainter where something nearer hides them."""
        if not veils:
            return self
        row, column = np.divmod(self.index, np.int32(self.columns))
        alpha = self.alpha
        for veil in veils:
            step = self.columns // veil.region.shape[1]  # 2 for luma
            place = (row // step) * np.int32(veil.region.shape[1]) + column // step
            alpha = alpha * veil.shown()[veil.region.reshape(-1)[place]]
        return Stamps(alpha, self.index, self.columns)


def discs(
    x: Numbers, y: Numbers, radius_px: Numbers, opacity: Numbers, shape: tuple[int, int], soft: float
) -> Stamps:
    """Round spots. `soft` from just above 0 (a disc) to 1 and more (all rim): the share of the radius over
    which the rim fades. Small ones keep their light when they are smaller than a sample.
    """
    rim_px = np.maximum(soft * radius_px, 0.7)
    reach = math.ceil(float(np.max(radius_px + rim_px / 2, initial=1.0)))
    kept = (x > -reach) & (x < shape[1] + reach) & (y > -reach) & (y < shape[0] + reach)
    x, y, radius_px, rim_px, opacity = x[kept], y[kept], radius_px[kept], rim_px[kept], opacity[kept]
    steps = np.arange(-reach, reach + 1, dtype=np.int32)
    columns: Places = np.floor(x).astype(np.int32)[:, None] + steps
    rows: Places = np.floor(y).astype(np.int32)[:, None] + steps
    away_x = (columns + 0.5 - x[:, None]).astype(np.float32)
    away_y = (rows + 0.5 - y[:, None]).astype(np.float32)
    away = np.sqrt(away_x[:, None, :] ** 2 + away_y[:, :, None] ** 2)
    inside = (radius_px / rim_px + 0.5).astype(np.float32)[:, None, None]
    alpha = np.clip(inside - away / rim_px.astype(np.float32)[:, None, None], 0, 1)
    alpha *= alpha * (3 - 2 * alpha)
    alpha *= opacity.astype(np.float32)[:, None, None]
    return _placed(alpha, rows[:, :, None], columns[:, None, :], shape)


def streaks(
    x: Numbers,
    y: Numbers,
    length_px: Numbers,
    width_px: float,
    slant: float,
    opacity: Numbers,
    shape: tuple[int, int],
) -> Stamps:
    """Thin lines that run down from (x, y), and `slant` to the right for each pixel down; faint at both
    ends.
    """
    reach = math.ceil(float(np.max(length_px, initial=1.0)))
    kept = (y > -reach) & (y < shape[0]) & (x > -reach) & (x < shape[1] + reach)
    x, y, length_px, opacity = x[kept], y[kept], length_px[kept], opacity[kept]
    rows: Places = np.asarray(np.floor(y)[:, None] + np.arange(reach), np.int32)
    down = (rows + 0.5 - y[:, None]).astype(np.float32)
    left = x.astype(np.float32)[:, None] + np.float32(slant) * down - np.float32(width_px / 2)
    first: Places = np.asarray(np.floor(left), np.int32)
    steps = np.arange(math.ceil(width_px) + 1, dtype=np.int32)
    columns: Places = first[:, :, None] + steps
    strength = np.sin(math.pi * np.clip(down / length_px.astype(np.float32)[:, None], 0, 1))
    strength *= opacity.astype(np.float32)[:, None]
    # How much of each sample the line covers, from side to side.
    begin = (left - first.astype(np.float32))[:, :, None] - steps.astype(np.float32)
    alpha = np.minimum(begin + np.float32(width_px), 1) - np.maximum(begin, 0)
    return _placed(np.maximum(alpha, 0) * strength[:, :, None], rows[:, :, None], columns, shape)


def _placed(alpha: Alpha, rows: Places, columns: Places, shape: tuple[int, int]) -> Stamps:
    alpha = alpha * ((rows >= 0) & (rows < shape[0])) * ((columns >= 0) & (columns < shape[1]))
    index = rows * np.int32(shape[1]) + columns
    seen = np.flatnonzero(alpha > _LEAST)
    return Stamps(alpha.reshape(-1)[seen], index.reshape(-1)[seen], shape[1])


class Sheet:
    """Lays stamps into planes of one shape. Keeps its memory between frames."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._covered = np.zeros(shape[0] * shape[1], np.float32)

    def lay(self, stamps: Stamps, plane: Pixels, level: float) -> None:
        """Blend `plane` towards `level` under the stamps; where they overlap, the denser one counts."""
        samples = np.reshape(plane, -1, copy=False)
        index = stamps.index
        np.maximum.at(self._covered, index, stamps.alpha)
        covered = self._covered[index]
        under = samples[index].astype(np.float32)
        samples[index] = (under + (np.float32(level) - under) * covered + np.float32(0.5)).astype(np.uint8)
        self._covered[index] = 0
