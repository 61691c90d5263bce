"""Pictures and a path to the frames of a clip, as the planes that the encoder takes. Pure and deterministic.

The picture is turned into BT.709 luma and chroma once; frames are sampled from these planes, never from RGB.
Luma is kept at twice the resolution: sampling that linearly is as sharp between pixels as on them, so that a
slow move does not breathe, and costs a third of cubic sampling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wanvideo.preview.lens import Lens, Plate, Sight
from wanvideo.preview.picture import Fit, Pixels, cut
from wanvideo.preview.room import REST, Path, Pose
from wanvideo.preview.scene import Scene
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import Frame, View

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
_HARMLESS_DETAIL = 1.32  # up to this a sharper plate does not shimmer when it is seen from the reference
_FINE_FROM = 0.25  # share of the push-in after which only the sharper plate is sampled; blended before


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


def shoot(picture: Image.Image, fitted: Fit, scene: Scene, path: Path, shot: Shot) -> Iterator[View]:
    """Yield what the camera sees at each pose of `path`. At rest that is the fitted picture itself."""
    margin_px = (
        min(_even_up(path.reach_x_px), _even_down(fitted.spare_x_px)),
        min(_even_up(path.reach_y_px), _even_down(fitted.spare_y_px)),
    )
    with ThreadPoolExecutor(1, thread_name_prefix="wanvideo-preview") as beside:
        film = beside.submit(_Film, picture, fitted, margin_px, path.farthest_zoom)
        reference = to_frame(cut(picture, fitted, 0, 0))
        lens = Lens(fitted, scene, path.pivot, margin_px)
        seen: tuple[Pose, Sight] = REST, lens.look(REST)
        for index, pose in enumerate(path.poses):
            if pose != seen[0]:
                seen = pose, lens.look(pose)
            yield View(
                frame=_copy(reference) if pose.at_rest else film.result().expose(pose, seen[1]),
                index=index,
                time_s=float(index / shot.fps),
                share=index / max(1, shot.frame_count - 1),
                zoom=pose.zoom,
                shift_x_px=pose.shift_x_px,
                shift_y_px=pose.shift_y_px,
                roll_rad=pose.roll_rad,
                region=seen[1].region,
            )


class _Film:
    """Samples the plates of one picture.

    Where the picture has more detail than the frame shows, a push-in reveals it from a sharper plate.
    """

    def __init__(
        self, picture: Image.Image, fitted: Fit, margin_px: tuple[int, int], farthest_zoom: float
    ) -> None:
        self._detail = min(farthest_zoom, 1 / fitted.scale)
        self._sharper = None
        if self._detail <= _WORTHWHILE_DETAIL:
            self._first = _plate(picture, fitted, margin_px, 1.0)
        elif self._detail <= _HARMLESS_DETAIL:
            self._first = _plate(picture, fitted, margin_px, self._detail)
        else:
            self._first = _plate(picture, fitted, margin_px, 1.0)
            self._sharper = _plate(picture, fitted, margin_px, self._detail)

    def expose(self, pose: Pose, sight: Sight) -> Frame:
        if self._sharper is None or pose.zoom <= 1:
            return _sample(self._first, sight)
        share = math.log(pose.zoom) / math.log(self._detail) / _FINE_FROM
        fine = _sample(self._sharper, sight)
        if share >= 1:
            return fine
        plain = _sample(self._first, sight)
        return Frame(*(_mix(*pair, share) for pair in zip(plain.planes(), fine.planes(), strict=True)))


def _plate(picture: Image.Image, fitted: Fit, margin_px: tuple[int, int], zoom: float) -> Plate:
    rgb = cut(picture, fitted, *margin_px, zoom)
    rows, columns = rgb.shape[:2]
    even = cv2.copyMakeBorder(rgb, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    planes = to_frame(_bytes(even))
    return Plate(
        _double(planes.luma),
        planes.blue,
        planes.red,
        margin_x_px=margin_px[0],
        margin_y_px=margin_px[1],
        zoom_x=columns / (fitted.width_px + 2 * margin_px[0]),
        zoom_y=rows / (fitted.height_px + 2 * margin_px[1]),
        luma_gain=2,
    )


def _sample(plate: Plate, sight: Sight) -> Frame:
    luma = _remap(plate.luma, sight.luma_map(plate))
    places = sight.chroma_map(plate)
    return Frame(luma, _remap(plate.blue, places), _remap(plate.red, places))


def _copy(frame: Frame) -> Frame:
    """Effects write into the frames they are given."""
    return replace(frame, luma=frame.luma.copy(), blue=frame.blue.copy(), red=frame.red.copy())


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


def _remap(plane: Pixels, places: NDArray[np.float32]) -> Pixels:
    # Only the outermost half pixel ever asks beyond the plate.
    return _bytes(cv2.remap(plane, places[0], places[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _mix(first: Pixels, second: Pixels, share: float) -> Pixels:
    return _bytes(cv2.addWeighted(first, 1 - share, second, share, 0))


def _bytes(pixels: object) -> Pixels:
    """Name what OpenCV's stubs leave open: every plane here is 8-bit."""
    return np.asarray(pixels, dtype=np.uint8)


def _even_up(length_px: float) -> int:
    return 2 * math.ceil(length_px / 2)


def _even_down(length_px: float) -> int:
    return 2 * math.floor(length_px / 2)
