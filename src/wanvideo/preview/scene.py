"""What a picture shows, as far as it can be told from its pixels: how near things are, and a few regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
"""Rows * columns over the whole picture, uncropped, in 0..1; a few hundred pixels wide."""


@dataclass(frozen=True)
class Scene:
    """`nearness` is 0 for the farthest and 1 for the nearest, and smooth. A region that could not be told
    with confidence is None: nothing is done with it.
    """

    nearness: Map
    subject: Map | None = None
    sky: Map | None = None
    water: Map | None = None
