"""From black and to black."""

from __future__ import annotations

import cv2
import numpy as np

from wanvideo.preview.view import View

FADE_S = 1.0
LARGEST_SHARE = 0.35  # of a short clip


def fade_in(view: View, duration_s: float) -> None:
    """The first frame is black."""
    _dim(view, view.time_s / _length_s(duration_s))


def fade_out(view: View, duration_s: float) -> None:
    """The last frame is black."""
    # By share, since the last frame begins before the clip ends.
    _dim(view, (1 - view.share) * duration_s / _length_s(duration_s))


def _length_s(duration_s: float) -> float:
    return max(1e-6, min(FADE_S, LARGEST_SHARE * duration_s))


def _dim(view: View, share: float) -> None:
    if share >= 1:
        return
    light = max(0.0, share) ** 1.5  # the eye sees the first half of an even fade from black as sudden
    levels = np.arange(256, dtype=np.float32)
    for plane, black in zip(view.frame.planes(), (16, 128, 128), strict=True):
        cv2.LUT(plane, np.rint(black + (levels - black) * light).astype(np.uint8), dst=plane)
