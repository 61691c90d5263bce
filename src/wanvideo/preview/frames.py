"""Pictures and a path to the frames of a clip, as the planes that the encoder takes. Pure and deterministic.

The picture is turned into BT.709 luma and chroma once; every frame is then sampled from these planes, never
from RGB. Luma is sampled cubically: linear sampling would blur and sharpen in turns while the camera drifts
across the grid.
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
_WORTHWHILE_DETAIL = 1.02  # below this a sharper plate cannot be told from the plain one
_FINE_FROM = 0.25  # share of the push-in after which only the sharper plate is sampled; blended before


@dataclass(frozen=True)
class Frame:
    """One 4:2:0 frame: `luma` height * width, `chroma` height/2 * width/2 * (Cb, Cr), left-sited; limited
    range.
    """

    luma: Pixels
    chroma: Pixels


@dataclass(frozen=True)
class _Plate:
    """The frame and its margin, enlarged `zoom_x`, `zoom_y` times: what viewports are sampled from."""

    luma: Pixels
    chroma: Pixels
    zoom_x: float
    zoom_y: float


def to_frame(rgb: Pixels) -> Frame:
    """Convert rows * columns * RGB with even sides to BT.709 4:2:0 limited range."""
    luma = cv2.transform(rgb, _LUMA)
    chroma = cv2.transform(rgb, _CHROMA)
    # Left siting (H.264's default): a chroma sample sits on an even column, between two rows.
    smooth = cv2.sepFilter2D(
        chroma,
        -1,
        np.array([0.25, 0.5, 0.25]),
        np.array([0.5, 0.5]),
        anchor=(1, 0),
        borderType=cv2.BORDER_REPLICATE,
    )
    return Frame(_bytes(luma), _bytes(np.ascontiguousarray(smooth[::2, ::2])))


def shoot(picture: Image.Image, fitted: Fit, path: Path) -> Iterator[Frame]:
    """Yield one frame per viewport of `path`. The first is the fitted reference picture itself."""
    margin_x, margin_y = _even(path.reach_x_px), _even(path.reach_y_px)
    margin_x, margin_y = (
        min(margin_x, _even_within(fitted.spare_x_px)),
        min(margin_y, _even_within(fitted.spare_y_px)),
    )
    plain = _plate(picture, fitted, margin_x, margin_y, 1.0)
    # Where the picture has more detail than the frame shows, a push-in reveals it instead of enlarging
    # pixels.
    detail = min(float(path.zoom.max()), 1 / fitted.scale)
    fine = _plate(picture, fitted, margin_x, margin_y, detail) if detail > _WORTHWHILE_DETAIL else None
    yield from (
        _expose(plain, fine, detail, fitted, (margin_x, margin_y), view)
        for view in zip(path.zoom.tolist(), path.shift_x_px.tolist(), path.shift_y_px.tolist(), strict=True)
    )


def _plate(picture: Image.Image, fitted: Fit, margin_x_px: int, margin_y_px: int, zoom: float) -> _Plate:
    rgb = cut(picture, fitted, margin_x_px, margin_y_px, zoom)
    rows, columns = rgb.shape[:2]
    zoom_x = columns / (fitted.width_px + 2 * margin_x_px)
    zoom_y = rows / (fitted.height_px + 2 * margin_y_px)
    even = cv2.copyMakeBorder(rgb, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    planes = to_frame(_bytes(even))
    return _Plate(planes.luma, planes.chroma, zoom_x, zoom_y)


def _expose(
    plain: _Plate,
    fine: _Plate | None,
    detail: float,
    fitted: Fit,
    margin_px: tuple[int, int],
    view: tuple[float, float, float],
) -> Frame:
    zoom, shift_x, shift_y = view
    if zoom == 1 and not shift_x and not shift_y:
        (left, top), width, height = margin_px, fitted.width_px, fitted.height_px
        return Frame(
            plain.luma[top : top + height, left : left + width].copy(),
            plain.chroma[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2].copy(),
        )
    columns = _Axis(fitted.width_px, margin_px[0], zoom, shift_x, chroma_offset=0.0)
    rows = _Axis(fitted.height_px, margin_px[1], zoom, shift_y, chroma_offset=0.5)
    if fine is None or zoom <= 1:
        return _sample(plain, columns, rows)
    share = math.log(zoom) / math.log(detail) / _FINE_FROM
    sharp = _sample(fine, columns, rows)
    if share >= 1:
        return sharp
    near = _sample(plain, columns, rows)
    return Frame(_mix(near.luma, sharp.luma, share), _mix(near.chroma, sharp.chroma, share))


class _Axis:
    """Where each luma and chroma sample of a frame looks along one axis, in frame pixels from the plate's
    edge.
    """

    def __init__(
        self, side_px: int, margin_px: int, zoom: float, shift_px: float, chroma_offset: float
    ) -> None:
        self.chroma_offset = chroma_offset
        middle = side_px / 2 + margin_px + shift_px
        half = side_px / 2 / zoom
        luma_at = (np.arange(side_px, dtype=np.float64) + 0.5) / (side_px / 2) - 1
        chroma_at = (np.arange(0, side_px, 2, dtype=np.float64) + chroma_offset + 0.5) / (side_px / 2) - 1
        self.luma = sample(middle, half, 0.0, side_px + 2.0 * margin_px, luma_at)
        self.chroma = sample(middle, half, 0.0, side_px + 2.0 * margin_px, chroma_at)

    def luma_index(self, zoom: float) -> NDArray[np.float32]:
        return (self.luma * zoom - 0.5).astype(np.float32)

    def chroma_index(self, zoom: float) -> NDArray[np.float32]:
        return ((self.chroma * zoom - 0.5 - self.chroma_offset) / 2).astype(np.float32)


def _sample(plate: _Plate, columns: _Axis, rows: _Axis) -> Frame:
    x, y = plate.zoom_x, plate.zoom_y
    return Frame(
        _remap(plate.luma, columns.luma_index(x), rows.luma_index(y), cv2.INTER_CUBIC),
        _remap(plate.chroma, columns.chroma_index(x), rows.chroma_index(y), cv2.INTER_LINEAR),
    )


def _remap(
    plane: Pixels, columns: NDArray[np.float32], rows: NDArray[np.float32], interpolation: int
) -> Pixels:
    map_x = np.empty((rows.size, columns.size), np.float32)
    map_y = np.empty_like(map_x)
    map_x[:] = columns
    map_y[:] = rows[:, np.newaxis]
    # Only the outermost half pixel ever asks beyond the plate.
    return _bytes(cv2.remap(plane, map_x, map_y, interpolation, borderMode=cv2.BORDER_REPLICATE))


def _mix(first: Pixels, second: Pixels, share: float) -> Pixels:
    return _bytes(cv2.addWeighted(first, 1 - share, second, share, 0))


def _bytes(pixels: object) -> Pixels:
    """Name what OpenCV's stubs leave open: every plane here is 8-bit."""
    return np.asarray(pixels, dtype=np.uint8)


def _even(length_px: float) -> int:
    return 2 * math.ceil(length_px / 2)


def _even_within(length_px: float) -> int:
    return 2 * math.floor(length_px / 2)
