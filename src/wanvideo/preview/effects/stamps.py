"""Hundreds of small soft shapes laid into a plane at once, without a loop over them and without touching the
rest of the frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.effects.air import Numbers
from wanvideo.preview.picture import Pixels

Alpha = NDArray[np.float32]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Stamps:
    """Shapes * rows * columns: how much each covers (`alpha`, 0..1) and which sample of the plane (`index`
    into its flat samples; `half_index` into those of the chroma planes, when this is luma).
    """

    alpha: Alpha
    index: Places
    half_index: Places

    def behind(self, cover: Alpha) -> Stamps:
        """Fainter where `cover`, flat and of the chroma planes' size, hides them: 0 hides, 1 shows."""
        return Stamps(self.alpha * cover[self.half_index], self.index, self.half_index)

    def over(self, cover: Alpha) -> Stamps:
        """The same for stamps of a chroma plane."""
        return Stamps(self.alpha * cover[self.index], self.index, self.half_index)


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
    steps = np.arange(-reach, reach + 1)
    columns = np.floor(x).astype(np.intp)[:, None] + steps
    rows = np.floor(y).astype(np.intp)[:, None] + steps
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
    rows = np.floor(y).astype(np.intp)[:, None] + np.arange(reach)
    down = rows + 0.5 - y[:, None]
    middle = x[:, None] + slant * down
    half = math.ceil(width_px / 2)
    columns = np.floor(middle).astype(np.intp)[:, :, None] + np.arange(-half, half + 1)
    share = np.clip(down / length_px[:, None], 0, 1)
    strength = (np.sin(math.pi * share) * opacity[:, None]).astype(np.float32)
    across = np.abs(columns + 0.5 - middle[:, :, None]).astype(np.float32)
    alpha = np.clip(width_px / 2 + 0.5 - across, 0, min(1.0, width_px)) * strength[:, :, None]
    return _placed(alpha, rows[:, :, None], columns, shape)


def _placed(alpha: Alpha, rows: Places, columns: Places, shape: tuple[int, int]) -> Stamps:
    outside = (rows < 0) | (rows >= shape[0]) | (columns < 0) | (columns >= shape[1])
    rows, columns = np.clip(rows, 0, shape[0] - 1), np.clip(columns, 0, shape[1] - 1)
    index = np.where(outside, 0, rows * shape[1] + columns)
    half = np.where(outside, 0, (rows // 2) * (shape[1] // 2) + columns // 2)
    return Stamps(np.where(outside, np.float32(0), alpha).astype(np.float32), index, half)


class Sheet:
    """Lays stamps into planes of one shape. Keeps its memory between frames."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._covered = np.zeros(shape[0] * shape[1], np.float32)

    def lay(self, stamps: Stamps, plane: Pixels, level: float) -> None:
        """Blend `plane` towards `level` under the stamps; where they overlap, the denser one counts."""
        self._lay(stamps, plane, level, darkens=True)

    def lighten(self, stamps: Stamps, plane: Pixels, level: float) -> None:
        """The same, except that nothing gets darker."""
        self._lay(stamps, plane, level, darkens=False)

    def _lay(self, stamps: Stamps, plane: Pixels, level: float, *, darkens: bool) -> None:
        samples = np.reshape(plane, -1, copy=False)
        seen = np.flatnonzero(stamps.alpha > 1 / 512)
        index = stamps.index.reshape(-1)[seen]
        np.maximum.at(self._covered, index, stamps.alpha.reshape(-1)[seen])
        covered = self._covered[index]
        under = samples[index].astype(np.float32)
        towards = np.float32(level) - under
        if not darkens:
            towards = np.maximum(towards, 0)
        samples[index] = (under + towards * covered + np.float32(0.5)).astype(np.uint8)
        self._covered[index] = 0
