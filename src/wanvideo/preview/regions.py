"""Sky and water in a picture, told from its pixels alone: better none than a wrong one.

A region is asked to look right in several ways at once: where it lies, how smooth it is, its colours and its
outline. What fails one of them is not given out, since an effect that flows over a wall or a face is worse
than none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.picture import Pixels
from wanvideo.preview.scene import Map

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

LARGEST_AREA_PX = 480 * 300  # pictures are looked at no larger; at this size a mast still shows on the sky
SKY_FEATHER_SHARE = 0.03  # of the width: how far inside its outline a map reaches 1
WATER_FEATHER_SHARE = 0.02

_SKY_LEAST_AREA = 0.05
_SKY_LEAST_TOP = 0.4  # share of the upper rim
_SKY_LOWEST_END = 0.86  # of the height: a "sky" that runs down to the ground is a wall
_WATER_LEAST_AREA = 0.06
_WATER_UPRIGHT = 4.0
_WATERLINE_LEAST_SHARE = 0.6  # of the width
_WATER_LEVEL_SHARE = 0.4  # of the width has water right below the waterline
_WATER_LEAST_GRAIN = 1.35  # how much stronger its texture is from row to row than from column to column


@dataclass(frozen=True)
class Regions:
    """Maps of the whole picture, 0 outside and rising to 1 a little inside the outline; None where there is
    no such region, or no trust in it.
    """

    sky: Map | None
    water: Map | None


def find_regions(rgb: Pixels) -> Regions:
    """Look for sky and water in rows * columns * RGB, best a few hundred pixels wide. Takes about 30 ms."""
    rows, columns = rgb.shape[:2]
    seen, scale = rgb, math.sqrt(LARGEST_AREA_PX / (rows * columns))
    if scale < 1:
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        seen = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    if min(seen.shape[:2]) < 16:
        return Regions(None, None)
    lab = np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2LAB), np.float32)
    sky = _sky(lab)
    if sky is None:
        return Regions(None, None)  # without a sky nothing tells water from a floor
    water = _water(lab, sky)
    return Regions(
        _feathered(sky, SKY_FEATHER_SHARE, rgb.shape[:2]),
        None if water is None else _feathered(water, WATER_FEATHER_SHARE, rgb.shape[:2]),
    )


def _sky(lab: Plane) -> Mask | None:
    rows = lab.shape[0]
    slope = _slope(lab)
    border = _border(lab, slope)
    if border is None:
        return None
    # A bird or a speck stops its own column only: what lies above the border all round is sky as well.
    reach = max(3, lab.shape[1] // 24)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(border.row, reach, mode="edge"), 2 * reach + 1)
    near = np.maximum(border.row, np.quantile(around, 0.6, axis=1))
    sky = np.arange(rows)[:, np.newaxis] < near
    sky &= ~_thick(slope > border.step) & ~_thick(_thin(lab[..., 0]))
    sky = _from_top(sky)
    top = float(sky[: max(1, rows // 50)].mean())
    if sky.mean() < _SKY_LEAST_AREA or top < _SKY_LEAST_TOP:
        return None
    end = np.where(sky.any(axis=0), rows - np.argmax(sky[::-1], axis=0), 0) / rows
    if np.mean(end > _SKY_LOWEST_END) > 0.12:
        return None
    uneven = float(np.subtract(*np.quantile(end, [0.8, 0.2])))
    return sky if _is_sky_coloured(lab, sky, level=top > 0.9 and uneven < 0.35) else None


@dataclass(frozen=True)
class _Border:
    """The row where each column meets its first step steeper than `step`."""

    row: NDArray[np.intp]
    step: float


def _border(lab: Plane, slope: Plane) -> _Border | None:
    """The border that parts the picture into the two most uniform halves.

    Shen and Wang, "Sky Region Detection in a Single Image for Autonomous Ground Robot Navigation" (2013):
    a threshold is tried after the other, so that neither clouds nor a hazy skyline need a fixed one.
    """
    rows = lab.shape[0]
    best, best_evenness = None, 0.0
    thinned = lab[::4, ::4]
    for step in np.geomspace(2.5, 25, 10).tolist():
        steep = slope > step
        row = np.where(steep.any(axis=0), np.argmax(steep, axis=0), rows)
        above = np.arange(0, rows, 4)[:, np.newaxis] < row[::4]
        if not _SKY_LEAST_AREA < above.mean() < 0.9:
            continue
        evenness = 1 / (2 * _spread(thinned[above]) + _spread(thinned[~above]))
        if evenness > best_evenness:
            best, best_evenness = _Border(row, step), evenness
    return best


def _spread(colours: Plane) -> float:
    covariance = np.cov(colours.T)
    return float(abs(np.linalg.det(covariance)) + np.linalg.eigvalsh(covariance)[-1])


def _is_sky_coloured(lab: Plane, sky: Mask, *, level: bool) -> bool:
    """Blue, or bright over a level skyline; never green, and never one flat tone of grey."""
    lightness, green_red, blue_yellow = (lab[..., channel][sky] for channel in range(3))
    if float(np.mean((green_red < 118) & (blue_yellow > 124))) > 0.2:
        return False  # a meadow, a green wall
    light, around = float(np.median(lightness)), float(np.median(lab[..., 0][~sky]))
    if float(np.mean((blue_yellow < 122) & (green_red > 104))) > 0.3:
        return light > 40 and (level or light > around)
    neutral = float(np.median(blue_yellow)) < 129 and abs(float(np.median(green_red)) - 128) < 5
    return level and neutral and light > 150 and light > around + 25 and float(lightness.std()) > 2.0


def _water(lab: Plane, sky: Mask) -> Mask | None:
    lightness = lab[..., 0]
    down = _plane(np.abs(cv2.Sobel(lightness, cv2.CV_32F, 0, 1)) / 8)
    along = _plane(np.abs(cv2.Sobel(lightness, cv2.CV_32F, 1, 0)) / 8)
    waterline = _waterline(down, sky)
    if waterline is None:
        return None
    # What stands upright (a hull, a post, a reed) has edges along the row, and any thing has harder edges
    # than ripples have.
    upright = _plane(cv2.blur(np.maximum(along - 0.5 * down, 0), (5, 5))) > _WATER_UPRIGHT
    hard = np.maximum(down, along) > 4 + 6 * float(np.median(down[waterline:]))
    things = _closed(_thick(upright | hard), 7)
    candidate = _like_water(lab, sky) & ~things
    candidate[: waterline + 2] = False
    water = _largest(_opened(_closed(candidate, 3), 5))
    if water is None or water.mean() < _WATER_LEAST_AREA:
        return None
    wide = float(np.mean(water.any(axis=0)))
    begins_level = float(np.mean(water[waterline : waterline + max(4, lab.shape[0] // 20)].any(axis=0)))
    touches = water[-1].any() or water[:, 0].any() or water[:, -1].any()
    grain = float(down[water].mean()) / max(0.05, float(along[water].mean()))
    if wide < 0.5 or begins_level < _WATER_LEVEL_SHARE or not touches or grain < _WATER_LEAST_GRAIN:
        return None
    return water


def _waterline(down: Plane, sky: Mask) -> int | None:
    """The row of the one level edge that runs across the picture, at or a little below the skyline."""
    rows = sky.shape[0]
    begin = max(2, _skyline(sky) - 3)
    end = min(rows - 8, begin + rows // 4)
    if begin >= end:
        return None
    strength = np.minimum(down, 6).mean(axis=1)
    row = begin + int(np.argmax(strength[begin:end]))
    usual = float(np.median(strength[row + 4 :]))
    across = float(np.mean(down[row - 1 : row + 2].max(axis=0) > max(0.8, 1.5 * usual)))
    if strength[row] < 1.3 * usual or across < _WATERLINE_LEAST_SHARE:
        return None
    return row


def _like_water(lab: Plane, sky: Mask) -> Mask:
    """Bluish or grey at any lightness, or a colour of this sky at no more than its brightness."""
    lightness, green_red, blue_yellow = (lab[..., channel] for channel in range(3))
    bluish = (blue_yellow < 129) & (np.abs(green_red - 128) < 22) & (lightness < lightness[sky].max())
    hues = np.stack([green_red, blue_yellow], axis=-1)
    cell = np.clip(hues / 8, 0, 31).astype(np.intp)
    darkest = np.full((32, 32), 999.0, np.float32)
    np.minimum.at(darkest, (cell[sky][:, 0], cell[sky][:, 1]), lightness[sky])
    darkest = -_plane(cv2.dilate(-darkest, np.ones((3, 3), np.uint8)))
    mirrored = lightness > 0.95 * darkest[cell[..., 0], cell[..., 1]]
    return np.asarray((bluish | mirrored) & ~sky, np.bool_)


def _skyline(sky: Mask) -> int:
    """The row where the sky ends in most columns."""
    end = sky.shape[0] - np.argmax(sky[::-1], axis=0)
    return int(np.quantile(end[sky.any(axis=0)], 0.4))


def _slope(lab: Plane) -> Plane:
    """How steeply the three channels change, summed."""
    smooth = _plane(cv2.GaussianBlur(lab, (0, 0), 1.2))
    across = _plane(cv2.Sobel(smooth, cv2.CV_32F, 1, 0))
    along = _plane(cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.asarray(_plane(cv2.magnitude(across, along)).sum(axis=2) / 8, np.float32)


def _thin(lightness: Plane) -> Mask:
    """Dark lines and specks such as rigging, wires and birds, thinner than a step can show."""
    hat = _plane(cv2.morphologyEx(lightness, cv2.MORPH_BLACKHAT, np.ones((5, 5), np.uint8)))
    return np.asarray(hat > 7, np.bool_)


def _from_top(mask: Mask) -> Mask:
    """What is connected to the upper rim."""
    roofed = np.pad(mask.astype(np.uint8), ((1, 0), (0, 0)), constant_values=1)
    _count, label = cv2.connectedComponents(roofed, connectivity=4)
    return np.asarray(label[1:] == label[0, 0], np.bool_)


def _largest(mask: Mask) -> Mask | None:
    count, label, stats, _middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    return np.asarray(label == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])), np.bool_)


def _closed(mask: Mask, side_px: int) -> Mask:
    return _morphed(mask, cv2.MORPH_CLOSE, side_px)


def _opened(mask: Mask, side_px: int) -> Mask:
    return _morphed(mask, cv2.MORPH_OPEN, side_px)


def _thick(mask: Mask) -> Mask:
    return _morphed(mask, cv2.MORPH_DILATE, 3)


def _morphed(mask: Mask, how: int, side_px: int) -> Mask:
    kernel = np.ones((side_px, side_px), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), how, kernel), np.bool_)


def _feathered(mask: Mask, share: float, size: tuple[int, ...]) -> Map:
    """Rise from 0 at the outline to 1 inside; the rim of the picture is no outline."""
    open_rim = np.pad(mask.astype(np.uint8), 1, mode="edge")
    inside_px = _plane(cv2.distanceTransform(open_rim, cv2.DIST_L2, 3))[1:-1, 1:-1]
    rise = np.clip((inside_px - 1) / (share * mask.shape[1]), 0, 1).astype(np.float32)
    return _plane(cv2.resize(rise, (size[1], size[0]), interpolation=cv2.INTER_LINEAR))


def _plane(pixels: object) -> Plane:
    """Name what OpenCV's stubs leave open."""
    return np.asarray(pixels, dtype=np.float32)
