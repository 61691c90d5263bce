"""Pictures and a path to the frames of a clip, as the planes that the encoder takes. Pure and deterministic.

The picture is turned into BT.709 luma and chroma once; frames are sampled from these planes, never from RGB.
Luma is kept at twice the resolution: sampling that linearly is as sharp between pixels as on them, so that a
slow move does not breathe, and costs a third of cubic sampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wanvideo.preview.camera import Path, sample
from wanvideo.preview.picture import Fit, Pixels, cut
from wanvideo.preview.view import Frame

# ITU-R BT.709-6, limited range: luma 16..235, chroma 16..240, from 8-bit RGB; the last column is the offset.
_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB
_LUMA = np.array([[219 * _KR, 219 * _KG, 219 * _KB, 16 * 255]]) / 255
_CHROMA = (
    np.array(
        [
            [-112 * _KR / (1 - _KB), -112 * _KG / (1 - _KB), 112, 128 * 255],
            [112, -112 * _KG / (1 - _KR), -112 * _KB / (1 - _KR), 128 * 255],
        ]
    )
    / 255
)
_TAPS = 8  # of the Lanczos filter that doubles the luma
_WORTHWHILE_DETAIL = 1.02  # below this a sharper plate cannot be told from the plain one
_FINE_FROM = 0.25  # share of the push-in after which only the sharper plate is sampled; blended before


@dataclass(frozen=True)
class _Plate:
    """The frame and its margin, enlarged `zoom_x`, `zoom_y` times: what viewports are sampled from."""

    doubled_luma: Pixels
    blue: Pixels
    red: Pixels
    zoom_x: float
    zoom_y: float


def to_frame(rgb: Pixels) -> Frame:
    """Convert rows * columns * RGB with even sides to BT.709 4:2:0 limited range."""
    # A chroma sample sits on an even column, between two rows.
    smooth = cv2.sepFilter2D(
        cv2.transform(rgb, _CHROMA),
        -1,
        np.array([0.25, 0.5, 0.25]),
        np.array([0.5, 0.5]),
        anchor=(1, 0),
        borderType=cv2.BORDER_REPLICATE,
    )
    halved = _bytes(smooth)[::2, ::2]
    return Frame(
        _bytes(cv2.transform(rgb, _LUMA)),
        np.ascontiguousarray(halved[..., 0]),
        np.ascontiguousarray(halved[..., 1]),
    )


def shoot(picture: Image.Image, fitted: Fit, path: Path) -> Iterator[Frame]:
    """Yield one frame per viewport of `path`. A viewport at rest shows the fitted picture itself."""
    margin_px = (
        min(_even_up(path.reach_x_px), _even_down(fitted.spare_x_px)),
        min(_even_up(path.reach_y_px), _even_down(fitted.spare_y_px)),
    )
    reference = to_frame(cut(picture, fitted, 0, 0))
    lens = _Lens(picture, fitted, margin_px, farthest_zoom=float(path.zoom.max()))
    views = zip(path.zoom.tolist(), path.shift_x_px.tolist(), path.shift_y_px.tolist(), strict=True)
    for zoom, shift_x, shift_y in views:
        at_rest = zoom == 1 and not shift_x and not shift_y
        yield reference if at_rest else lens.expose(zoom, shift_x, shift_y)


class _Lens:
    """Samples viewports of one picture. Keeps its maps: fresh memory would cost more than filling them."""

    def __init__(
        self, picture: Image.Image, fitted: Fit, margin_px: tuple[int, int], farthest_zoom: float
    ) -> None:
        self._sides_px = (fitted.width_px, fitted.height_px)
        self._margin_px = margin_px
        self._plain = self._plate(picture, fitted, 1.0)
        # Where the picture has more detail than the frame shows, a push-in reveals it.
        self._detail = min(farthest_zoom, 1 / fitted.scale)
        self._fine = None
        if self._detail > _WORTHWHILE_DETAIL:
            self._fine = self._plate(picture, fitted, self._detail)
        rows, columns = fitted.height_px, fitted.width_px
        self._luma_maps = np.empty((2, rows, columns), np.float32)
        self._chroma_maps = np.empty((2, rows // 2, columns // 2), np.float32)

    def _plate(self, picture: Image.Image, fitted: Fit, zoom: float) -> _Plate:
        rgb = cut(picture, fitted, *self._margin_px, zoom)
        rows, columns = rgb.shape[:2]
        even = cv2.copyMakeBorder(rgb, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
        planes = to_frame(_bytes(even))
        return _Plate(
            _double(planes.luma),
            planes.blue,
            planes.red,
            zoom_x=columns / (self._sides_px[0] + 2 * self._margin_px[0]),
            zoom_y=rows / (self._sides_px[1] + 2 * self._margin_px[1]),
        )

    def expose(self, zoom: float, shift_x_px: float, shift_y_px: float) -> Frame:
        columns = _Axis(self._sides_px[0], self._margin_px[0], zoom, shift_x_px, siting_px=0.0)
        rows = _Axis(self._sides_px[1], self._margin_px[1], zoom, shift_y_px, siting_px=0.5)
        if self._fine is None or zoom <= 1:
            return self._sample(self._plain, columns, rows)
        share = math.log(zoom) / math.log(self._detail) / _FINE_FROM
        fine = self._sample(self._fine, columns, rows)
        if share >= 1:
            return fine
        plain = self._sample(self._plain, columns, rows)
        return Frame(*(_mix(*pair, share) for pair in zip(plain.planes(), fine.planes(), strict=True)))

    def _sample(self, plate: _Plate, columns: _Axis, rows: _Axis) -> Frame:
        self._luma_maps[0] = columns.in_doubled_luma(plate.zoom_x)
        self._luma_maps[1] = rows.in_doubled_luma(plate.zoom_y)[:, np.newaxis]
        self._chroma_maps[0] = columns.in_chroma(plate.zoom_x)
        self._chroma_maps[1] = rows.in_chroma(plate.zoom_y)[:, np.newaxis]
        return Frame(
            _remap(plate.doubled_luma, self._luma_maps),
            _remap(plate.blue, self._chroma_maps),
            _remap(plate.red, self._chroma_maps),
        )


class _Axis:
    """Where a frame's samples look along one axis. `siting_px` is how far chroma lies after even luma."""

    def __init__(
        self, side_px: int, margin_px: int, zoom: float, shift_px: float, *, siting_px: float
    ) -> None:
        self._siting_px = siting_px
        end_px = side_px + 2.0 * margin_px
        middle_px, half_px = end_px / 2 + shift_px, side_px / 2 / zoom
        pixels = np.arange(side_px, dtype=np.float64) + 0.5
        self._luma_px = sample(middle_px, half_px, 0.0, end_px, pixels / (side_px / 2) - 1)
        self._chroma_px = sample(
            middle_px, half_px, 0.0, end_px, (pixels[::2] + siting_px) / (side_px / 2) - 1
        )

    def in_doubled_luma(self, zoom: float) -> NDArray[np.float64]:
        return 2 * (self._luma_px * zoom - 0.5)

    def in_chroma(self, zoom: float) -> NDArray[np.float64]:
        return (self._chroma_px * zoom - 0.5 - self._siting_px) / 2


def _double(plane: Pixels) -> Pixels:
    """Put a Lanczos-filtered sample after every sample, both ways; the given samples stay as they are."""
    offset = np.arange(_TAPS) - (_TAPS / 2 - 0.5)
    taps = np.sinc(offset) * np.sinc(offset / (_TAPS / 2))
    taps /= taps.sum()
    doubled = plane
    for _way in range(2):
        between = cv2.filter2D(
            doubled, -1, taps[np.newaxis], anchor=(_TAPS // 2 - 1, 0), borderType=cv2.BORDER_REPLICATE
        )
        wide = np.empty((doubled.shape[0], 2 * doubled.shape[1]), np.uint8)
        wide[:, ::2] = doubled
        wide[:, 1::2] = between
        doubled = np.ascontiguousarray(wide.T)
    return doubled


def _remap(plane: Pixels, maps: NDArray[np.float32]) -> Pixels:
    # Only the outermost half pixel ever asks beyond the plate.
    return _bytes(cv2.remap(plane, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _mix(first: Pixels, second: Pixels, share: float) -> Pixels:
    return _bytes(cv2.addWeighted(first, 1 - share, second, share, 0))


def _bytes(pixels: object) -> Pixels:
    """Name what OpenCV's stubs leave open: every plane here is 8-bit."""
    return np.asarray(pixels, dtype=np.uint8)


def _even_up(length_px: float) -> int:
    return 2 * math.ceil(length_px / 2)


def _even_down(length_px: float) -> int:
    return 2 * math.floor(length_px / 2)
