"""A person in the picture, found by a small network that comes with this package; or nobody."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import cv2
import numpy as np

from wanvideo.preview.picture import Pixels
from wanvideo.preview.scene import Map

# On seven pictures these let two right masks through and no wrong one. "Certain" are pixels that the network
# calls person or not with at least 0.9.
LEAST_CERTAIN: Final = 0.9
AREAS: Final = (0.04, 0.75)
WIDEST_TOP: Final = 0.5  # what fills more of the upper rim is a sky or a wall
_INPUT_PX: Final = 256


def find_person(rgb: Pixels) -> Map | None:
    """How surely each pixel of rows * columns * RGB is a person, at that size; None without trust in it.

    MediaPipe Selfie Segmentation (see NOTICE), about 20 ms. It was made for people in front of a camera: it
    mostly says "nobody" to other pictures, but not always, hence the doubt.
    """
    small = cv2.resize(rgb, (_INPUT_PX, _INPUT_PX), interpolation=cv2.INTER_AREA)
    network = cv2.dnn.readNetFromTFLite(_model())  # one for each call: a network is not for several threads
    levels = np.asarray(small, np.float32) / 255
    network.setInput(np.ascontiguousarray(np.moveaxis(levels, -1, 0)[np.newaxis]))
    seen = np.asarray(network.forward(), np.float32).reshape(_INPUT_PX, _INPUT_PX)
    certain = float(np.mean(np.abs(seen - 0.5) > 0.4))
    area = float(np.mean(seen > 0.5))
    top = float(np.mean(seen[0] > 0.5))
    if certain <= LEAST_CERTAIN or not AREAS[0] < area < AREAS[1] or top > WIDEST_TOP:
        return None
    return np.asarray(cv2.resize(seen, (rgb.shape[1], rgb.shape[0])), np.float32)


@cache
def _model() -> Pixels:
    content = files(__package__).joinpath("models", "selfie_segmentation.tflite").read_bytes()
    return np.frombuffer(content, np.uint8)
