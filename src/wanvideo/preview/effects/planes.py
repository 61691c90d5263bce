"""Whole planes at once, in 8 bits: levels, tints and veils."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.picture import Pixels

LEVELS = np.arange(256, dtype=np.float32)
BLACK, WHITE, GREY = 16, 235, 128


def relevel(plane: Pixels, curve: NDArray[np.floating[Any]]) -> None:
    """Replace each level by that of `curve`, which has 256 entries."""
    cv2.LUT(plane, np.rint(np.clip(curve, 0, 255)).astype(np.uint8), dst=plane)


def recolour(plane: Pixels, strength: float) -> None:
    """Make a chroma plane paler (below 1) or richer."""
    if abs(strength - 1) > 1e-3:
        relevel(plane, GREY + (LEVELS - GREY) * strength)


def veil(plane: Pixels, level: float, thickness: Pixels) -> None:
    """Blend towards `level` where `thickness` says so: 0 leaves the plane, 255 covers it."""
    cv2.multiply(plane, cv2.bitwise_not(thickness), dst=plane, scale=1 / 255)
    cv2.add(plane, cv2.convertScaleAbs(thickness, alpha=level / 255), dst=plane)


def tint(plane: Pixels, weight: Pixels, amount: float) -> None:
    """Add `amount` levels where `weight` is 255, less where it is less."""
    part = cv2.convertScaleAbs(weight, alpha=abs(amount) / 255)
    if amount > 0:
        cv2.add(plane, part, dst=plane)
    else:
        cv2.subtract(plane, part, dst=plane)


def halved(luma: Pixels) -> Pixels:
    """Luma at the size of the chroma planes, good enough to weigh a tint with."""
    return np.ascontiguousarray(luma[::2, ::2])


def doubled(plane: Pixels) -> Pixels:
    """A soft map of the chroma planes' size at the size of luma."""
    size = (2 * plane.shape[1], 2 * plane.shape[0])
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def bytes_of(plane: object) -> Pixels:
    """Name what OpenCV's stubs leave open."""
    return np.asarray(plane, dtype=np.uint8)
