"""What an effect knows of its clip before the first frame: its size, its seed, the light of its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wanvideo.preview.shot import Shot
from wanvideo.preview.view import Frame


@dataclass(frozen=True)
class Exposure:
    """Levels of the planes: 16..235 for luma, 16..240 for `blue` and `red`, which are means."""

    mean: float
    middle: float
    bright: float
    blue: float
    red: float

    @classmethod
    def of(cls, frame: Frame) -> Exposure:
        some = frame.luma[::4, ::4]
        middle, bright = np.quantile(some, [0.5, 0.9]).tolist()
        return cls(
            mean=float(some.mean()),
            middle=middle,
            bright=bright,
            blue=float(frame.blue[::2, ::2].mean()),
            red=float(frame.red[::2, ::2].mean()),
        )


@dataclass(frozen=True)
class Setting:
    """What an effect is made from. `chance` is its own: what one effect draws never changes another."""

    shot: Shot
    chance: np.random.Generator
    exposure: Exposure
