"""A picture worth moving over, and a measure of how a clip moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Motion:
    """The similarity that carries the first picture into the second; positive `right_px`, `down_px` are the
    content's.
    """

    growth: float
    right_px: float
    down_px: float


def textured(width_px: int, height_px: int, seed: int = 5) -> Image.Image:
    """Soft coloured blobs of many sizes: no straight edges, texture everywhere; the same for a seed."""
    chance = np.random.default_rng(seed)
    total = np.zeros((height_px, width_px, 3), np.float32)
    for cell_px, weight in ((64, 1.0), (24, 0.7), (10, 0.4)):
        cells = (width_px // cell_px + 3, height_px // cell_px + 3)
        grid = chance.random((cells[1], cells[0], 3), dtype=np.float32)
        total += weight * cv2.resize(grid, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    total = (total - total.min()) / (total.max() - total.min())
    return Image.fromarray((60 + 180 * total).astype(np.uint8))


def as_bytes(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def luma_of(path: Path) -> list[Grey]:
    """Every decoded frame as limited-range luma."""
    with av.open(str(path)) as clip:
        frames = [frame.to_ndarray(format="yuv420p")[: frame.height] for frame in clip.decode(video=0)]
    return [np.asarray(frame, np.uint8) for frame in frames]


def motion(first: Grey, second: Grey) -> Motion:
    """Least-squares similarity of dense optical flow, on textured pixels away from the rim."""
    flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    nowhere = np.zeros((*first.shape, 2), np.float32)
    flow = flow_of.calc(np.ascontiguousarray(first), np.ascontiguousarray(second), nowhere)
    height, width = first.shape
    y, x = np.mgrid[0:height, 0:width] - np.array([height / 2, width / 2])[:, None, None]
    slope = np.hypot(cv2.Sobel(first, cv2.CV_32F, 1, 0), cv2.Sobel(first, cv2.CV_32F, 0, 1))
    used = (slope > np.median(slope)) & (np.abs(x) < 0.4 * width) & (np.abs(y) < 0.4 * height)
    x, y, along_x, along_y = x[used], y[used], flow[..., 0][used], flow[..., 1][used]
    nought, one = np.zeros_like(x), np.ones_like(x)
    equations = np.vstack([np.stack([x, -y, one, nought], 1), np.stack([y, x, nought, one], 1)])
    growth, _turn, right_px, down_px = np.linalg.lstsq(equations, np.r_[along_x, along_y], rcond=None)[0]
    return Motion(float(growth), float(right_px), float(down_px))


@pytest.fixture(scope="session")
def wide_picture() -> bytes:
    """640*360, the aspect of the clips, so that a move finds no leftover pixels."""
    return as_bytes(textured(640, 360))


@pytest.fixture
def clip(tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: tmp_path / f"{name}.mp4"
