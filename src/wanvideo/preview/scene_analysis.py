"""What a picture shows: a soft depth for all pictures, more only where it can be trusted."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from wanvideo.preview.plan import Plan
from wanvideo.preview.scene import Map, Scene
from wanvideo.preview.shot import Shot

WIDTH_PX: Final = 320
HORIZON: Final = 0.42  # from the top: what stands higher is equally far, so that nothing upright leans
GUESSED_RANGE: Final = (0.15, 0.85)  # a guess takes less than the whole range of nearness


def analyse(picture: Image.Image, plan: Plan, shot: Shot) -> Scene:
    """Look at the whole picture, as far as `plan` needs it."""
    del plan, shot
    return Scene(nearness=_ground(picture))


def pivot_of(scene: Scene) -> float:
    """The nearness that the camera moves by and turns round: that of the subject, or of the middle."""
    rows, columns = scene.nearness.shape
    middle = scene.nearness[rows // 4 : -rows // 4, columns // 4 : -columns // 4]
    return float(np.mean(middle))


def _ground(picture: Image.Image) -> Map:
    """Nearer towards the lower rim, as ground, floor and water are."""
    columns, rows = WIDTH_PX, max(8, round(WIDTH_PX * picture.height / picture.width))
    height = (np.arange(rows, dtype=np.float32) + 0.5) / rows
    way = np.clip((height - HORIZON) / (1 - HORIZON), 0.0, 1.0)
    far, near = GUESSED_RANGE
    nearness = far + (near - far) * way * way * (3 - 2 * way)
    return np.repeat(nearness[:, np.newaxis], columns, axis=1).astype(np.float32)
