"""A user's own mask or depth: a greyscale picture, or an ONNX network that makes one.

The network takes one picture, 1 * 3 * rows * columns, RGB, with the mean and deviation of ImageNet taken out,
and gives one map as its first output. It runs in OpenCV at the first of SIDES_PX that it takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from wanvideo.preview.picture import Pixels
from wanvideo.preview.scene import Map
from wanvideo.preview.shot import MapUnusable

SHAPE_SLACK: Final = 0.03  # more would lay the map beside what it shows
SIDES_PX: Final = (320, 384, 518, 256, 512, 1024)
_MEAN: Final = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION: Final = np.array([0.229, 0.224, 0.225], np.float32)


def read_map(path: Path, rgb: Pixels, name: str) -> Map:
    """The map at `path` for the picture `rgb`, at its size, in 0..1: white, or the network's most, is 1.

    Raises: MapUnusable.
    """
    try:
        levels = _run(path, rgb) if path.suffix.lower() == ".onnx" else _look_at(path, rgb)
    except UnidentifiedImageError:
        raise MapUnusable(name, f"{path.name} is neither a picture nor an .onnx file") from None
    except (OSError, ValueError) as error:
        raise MapUnusable(name, f"{path.name} cannot be used ({error})") from None
    size = (rgb.shape[1], rgb.shape[0])
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.float32)


def _look_at(path: Path, rgb: Pixels) -> Map:
    with Image.open(path) as opened:
        wanted_height = opened.width * rgb.shape[0] / rgb.shape[1]
        if abs(opened.height / wanted_height - 1) > SHAPE_SLACK:
            raise ValueError(
                f"{opened.width}x{opened.height} is not the shape of the picture, padding included"
            )
        deep = opened.mode.startswith(("I", "F"))
        levels = np.asarray(opened if deep else opened.convert("L"), np.float32)
    return _stretched(levels) if deep else np.asarray(levels / 255, np.float32)


def _run(path: Path, rgb: Pixels) -> Map:
    content = np.frombuffer(path.read_bytes(), np.uint8)
    refusal: cv2.error | None = None
    for side_px in SIDES_PX:
        small = (
            np.asarray(cv2.resize(rgb, (side_px, side_px), interpolation=cv2.INTER_AREA), np.float32) / 255
        )
        planes = np.moveaxis((small - _MEAN) / _DEVIATION, -1, 0)[np.newaxis]
        try:
            network = cv2.dnn.readNetFromONNX(content)
            network.setInput(np.ascontiguousarray(planes, np.float32))
            made = np.asarray(network.forward(), np.float32).squeeze()
        except cv2.error as error:
            refusal = error
            continue
        if made.ndim != 2:
            raise ValueError(f"its first output is no map but {made.ndim}-dimensional")
        return _stretched(made)
    assert refusal is not None  # else it was returned
    raise ValueError(f"OpenCV cannot run it: {refusal.err.strip().rstrip('.')}")


def _stretched(levels: Map) -> Map:
    low, high = float(levels.min()), float(levels.max())
    if not high - low > 0:
        raise ValueError("it is the same everywhere")
    return np.asarray((levels - low) / (high - low), np.float32)
