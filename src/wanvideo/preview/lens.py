"""Where each pixel of a frame looks: a pose of the camera and the nearness of things to sampling maps.

All that bends is worked out for one pixel in 64 (256 in a large frame) and interpolated in between. That
keeps straight what is straight: a linear interpolation of a turn, a zoom and a shift is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from wanvideo.preview.picture import Fit, Pixels
from wanvideo.preview.room import Pose
from wanvideo.preview.scene import Map, Scene

Values = TypeVar("Values", Map, Pixels)
Places = NDArray[np.float32]
"""Horizontal places, then vertical ones: 2 * rows * columns."""

CELL_PX: Final = 8
LARGE_CELL_PX: Final = 16  # in frames at least LARGE_PX wide and high: there nothing bends within it
LARGE_PX: Final = 700
RIM_POINTS: Final = 24  # along each side
STRETCH_POWER: Final = 4  # the stretch at the rim grows so with the distance from the middle: smooth
SIGHTINGS: Final = 2  # what is near moves further, which changes what is seen: it settles at once


@dataclass(frozen=True)
class Plate:
    """What is sampled: planes of the frame and a margin of `margin_x_px`, `margin_y_px` around it, with
    `zoom_x`, `zoom_y` samples for each frame pixel. The luma plane has `luma_gain` times as many each way.
    """

    luma: Pixels
    blue: Pixels
    red: Pixels
    margin_x_px: float
    margin_y_px: float
    zoom_x: float
    zoom_y: float
    luma_gain: int


class Lens:
    """Turns poses into maps for one clip. Keeps its memory: fresh memory would cost more than filling it."""

    def __init__(self, fitted: Fit, scene: Scene, pivot: float, margin_px: tuple[float, float]) -> None:
        self._sides_px: Places = np.array([fitted.width_px, fitted.height_px], np.float32)
        self._ends_px = self._sides_px / 2 + np.array(margin_px, np.float32)
        self._scene = scene
        self._pivot = np.float32(pivot)
        self._picture_px = np.array(
            [fitted.width_px + 2 * fitted.spare_x_px, fitted.height_px + 2 * fitted.spare_y_px]
        )
        large = min(fitted.width_px, fitted.height_px) >= LARGE_PX
        self._cell_px = LARGE_CELL_PX if large else CELL_PX
        columns, rows = (-(-side // self._cell_px) + 2 for side in (fitted.width_px, fitted.height_px))
        self._grid_at = _places(
            (np.arange(columns, dtype=np.float32) - 0.5) * self._cell_px - self._sides_px[0] / 2,
            (np.arange(rows, dtype=np.float32) - 0.5) * self._cell_px - self._sides_px[1] / 2,
        )
        along = np.linspace(-0.5, 0.5, RIM_POINTS, dtype=np.float32)
        ends = np.array([-0.5, 0.5], np.float32)
        self._rim_at = np.concatenate(
            [_places(along, ends).reshape(2, 1, -1), _places(ends, along).reshape(2, 1, -1)], axis=2
        )
        self._rim_at *= _pair(self._sides_px)
        self._luma_map = np.empty((2, rows * self._cell_px, columns * self._cell_px), np.float32)
        self._chroma_map = np.empty((2, rows * self._cell_px // 2, columns * self._cell_px // 2), np.float32)
        self._regions: dict[str, Pixels | None] = {}

    def look(self, pose: Pose) -> Sight:
        rim = self._sources(pose, self._rim_at)
        grid = self._sources(pose, self._grid_at)
        for axis in range(2):
            end = float(self._ends_px[axis])
            low, high = float(rim[axis].min()), float(rim[axis].max())
            if low < -end:
                _draw_in(grid[axis], low, -end)
            if high > end:
                _draw_in(grid[axis], high, end)
        return Sight(self, grid)

    def _sources(self, pose: Pose, at: Places) -> Places:
        """Where in the reference the frame's places `at` look, both in frame pixels from the middle."""
        x, y = at
        if pose.keystone:
            y = y * (1 - x * np.float32(2 * pose.keystone / self._sides_px[0]))
        cosine, sine = np.float32(np.cos(pose.roll_rad)), np.float32(np.sin(pose.roll_rad))
        turned = np.stack([x * cosine - y * sine, x * sine + y * cosine])
        shift = _pair((pose.shift_x_px, pose.shift_y_px))
        found = np.asarray(turned / np.float32(pose.zoom) + shift, np.float32)
        if not (pose.relief_log or pose.relief_x_px or pose.relief_y_px):
            return found
        relief = _pair((pose.relief_x_px, pose.relief_y_px))
        for _sighting in range(SIGHTINGS):
            depth = self._seen(self._scene.nearness, found) - self._pivot
            found = turned * np.exp(np.float32(-pose.relief_log) * depth) / np.float32(pose.zoom)
            found += shift + relief * depth
        return found

    def _seen(self, of: Values, at: Places) -> Values:
        """Sample a map of the whole picture at places of the frame."""
        cells = np.array([of.shape[1], of.shape[0]])
        places = at * _pair(cells / self._picture_px) + _pair((cells - 1) / 2)
        seen = cv2.remap(of, places[0], places[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, of.dtype)

    def luma_map(self, grid: Places, plate: Plate) -> Places:
        gain = _pair((plate.zoom_x, plate.zoom_y)) * np.float32(plate.luma_gain)
        # A sample of the frame lies on the first of its samples in an enlarged plane.
        places = grid * gain + np.asarray(self._middle(plate) * gain - plate.luma_gain / 2, np.float32)
        return self._spread(places, self._luma_map, self._cell_px)

    def chroma_map(self, grid: Places, plate: Plate) -> Places:
        gain = _pair((plate.zoom_x, plate.zoom_y)) * np.float32(0.5)
        # A chroma sample lies on the middle of its left luma column, half a pixel before the pair's middle;
        # in the plate it lies so too.
        places = _left_of(grid, self._cell_px) * gain + (self._middle(plate) * gain - np.float32(0.5))
        places[0] += np.float32(0.25)
        return self._spread(places, self._chroma_map, self._cell_px // 2)

    def region(self, grid: Places, name: str) -> Pixels | None:
        if name not in self._regions:
            region: Map | None = getattr(self._scene, name)
            self._regions[name] = None if region is None else np.rint(region * 255).astype(np.uint8)
        levels = self._regions[name]
        if levels is None:
            return None
        seen = self._seen(levels, grid)
        height, width = seen.shape
        whole = cv2.resize(seen, (width * self._cell_px // 2, height * self._cell_px // 2))
        return np.ascontiguousarray(self._framed(np.asarray(whole, np.uint8), self._cell_px // 2))

    def _middle(self, plate: Plate) -> Places:
        margin_px = np.array([plate.margin_x_px, plate.margin_y_px], np.float32)
        return _pair(self._sides_px / 2 + margin_px)

    def _spread(self, places: Places, into: Places, cell_px: int) -> Places:
        for axis in range(2):
            cv2.resize(places[axis], into.shape[:0:-1], dst=into[axis], interpolation=cv2.INTER_LINEAR)
        return self._framed(into, cell_px)

    def _framed(self, whole: Values, cell_px: int) -> Values:
        """Without the ring of cells around the frame, which only helps to interpolate up to the rim."""
        width, height = (int(side) * cell_px // self._cell_px for side in self._sides_px)
        return whole[..., cell_px : cell_px + height, cell_px : cell_px + width]


@dataclass(frozen=True)
class Sight:
    """One frame's view of the reference. Its maps are good until the next one is made."""

    lens: Lens
    grid: Places

    def luma_map(self, plate: Plate) -> Places:
        return self.lens.luma_map(self.grid, plate)

    def chroma_map(self, plate: Plate) -> Places:
        return self.lens.chroma_map(self.grid, plate)

    def region(self, name: str) -> Pixels | None:
        """That map of the scene as it is seen here: 0..255, of the size of the chroma planes."""
        return self.lens.region(self.grid, name)


def _places(x: Places, y: Places) -> Places:
    return np.stack(np.broadcast_arrays(x[np.newaxis, :], y[:, np.newaxis]))


def _pair(of: ArrayLike) -> Places:
    """A value for the horizontal and one for the vertical, as a factor or an offset of places."""
    return np.asarray(of, np.float32)[:, np.newaxis, np.newaxis]


def _draw_in(line: NDArray[np.float32], outermost: float, end: float) -> None:
    """Stretch the outermost part of one side so that the frame ends exactly with the picture."""
    share = np.maximum(line / np.float32(outermost), 0)
    line -= np.float32(outermost - end) * share**STRETCH_POWER


def _left_of(grid: Places, cell_px: int) -> Places:
    """The grid half a frame pixel further left."""
    step = np.float32(0.5 / cell_px)
    left = np.empty_like(grid)
    left[..., 1:] = grid[..., 1:] - step * (grid[..., 1:] - grid[..., :-1])
    left[..., 0] = grid[..., 0] - step * (grid[..., 1] - grid[..., 0])
    return left
