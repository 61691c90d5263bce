"""Seeded noise without seams, that can be moved over for ever."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

SIDE = 256


def clouds_of_noise(chance: np.random.Generator, roughness: float) -> Field:
    """SIDE * SIDE, 0..1 with a mean of .5, repeating on all sides. A larger `roughness` gives larger, softer
    spots: 1 is grainy, 2 is like mist.
    """
    across = np.fft.fftfreq(SIDE) * SIDE
    frequency = np.hypot(across[:, None], across[None, : SIDE // 2 + 1].copy())
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(chance.standard_normal((SIDE, SIDE))) / frequency**roughness
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, (SIDE, SIDE))
    return np.asarray(np.clip(0.5 + field / (5 * field.std()), 0, 1), np.float32)


def look_up(field: Field, x: Field, y: Field) -> Field:
    """Sample the field at `x`, `y` in its own cells, wherever they are."""
    # A border of a cell takes the interpolation over the seam; wrapping in remap itself is far slower.
    tiled = np.pad(field, ((0, 1), (0, 1)), mode="wrap")
    x, y = np.mod(x, np.float32(SIDE)), np.mod(y, np.float32(SIDE))
    return np.asarray(cv2.remap(tiled, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
