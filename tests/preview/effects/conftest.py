"""Clips without a camera: views of one picture, made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray
from tests.preview.conftest import textured

from wanvideo.preview.effects import Stage, stage
from wanvideo.preview.frames import to_frame
from wanvideo.preview.picture import Pixels
from wanvideo.preview.plan import EFFECTS, Plan
from wanvideo.preview.scene import Map, Scene
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import Frame, View

Floats = NDArray[np.float32]


def plain(level: int = 70, width_px: int = 320, height_px: int = 180) -> Pixels:
    return np.full((height_px, width_px, 3), level, np.uint8)


def blobs(width_px: int = 320, height_px: int = 180) -> Pixels:
    return np.asarray(textured(width_px, height_px))


def ramp(rows: int = 36, columns: int = 64) -> Map:
    """Far above, near below."""
    return np.repeat(np.linspace(0, 1, rows, dtype=np.float32)[:, None], columns, axis=1)


def band(begin: float, end: float, rows: int = 36, columns: int = 64) -> Map:
    """A region between two shares of the height, feathered inside."""
    y = np.linspace(0, 1, rows, dtype=np.float32)
    inside = np.clip(np.minimum(y - begin, end - y) / 0.12, 0, 1)
    return np.repeat(inside[:, None], columns, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Take:
    """One picture, what is asked of it, and the frames that come of it."""

    tokens: tuple[str, ...]
    picture: Pixels
    seed: int = 7
    strength: float = 0.5
    duration_s: float = 4.0
    fps: int = 24
    scene: Scene = field(default_factory=lambda: Scene(ramp()))
    shift_x_px_per_s: float = 0.0

    def shot(self) -> Shot:
        rows, columns = self.picture.shape[:2]
        return Shot(
            b"",
            seed=self.seed,
            motion_strength=self.strength,
            width_px=columns,
            height_px=rows,
            fps=Fraction(self.fps),
            frame_count=round(self.duration_s * self.fps),
        )

    def stage(self) -> Stage:
        effects = tuple(token for token in self.tokens if token in EFFECTS)
        light = tuple(token for token in self.tokens if token not in EFFECTS)
        return stage(Plan(("still",), effects, light), self.shot(), self.scene)

    def view(self, index: int) -> View:
        shot = self.shot()
        reference = to_frame(self.picture)
        rows, columns = reference.blue.shape
        time_s = float(index / shot.fps)

        def region(name: str) -> Pixels | None:
            found: Map | None = getattr(self.scene, name)
            if found is None:
                return None
            return np.asarray(np.rint(cv2.resize(found, (columns, rows)) * 255), np.uint8)

        return View(
            Frame(*(plane.copy() for plane in reference.planes())),
            index=index,
            time_s=time_s,
            share=index / max(1, shot.frame_count - 1),
            zoom=1.0,
            shift_x_px=self.shift_x_px_per_s * time_s,
            shift_y_px=0.0,
            roll_rad=0.0,
            region=region,
        )

    def frames(self, *indexes: int) -> Iterator[Frame]:
        """The frames asked for, after the first, which the stage sees in any case."""
        acting = self.stage()
        first = self.view(0)
        acting.apply(first)
        for index in indexes:
            view = first if index == 0 else self.view(index)
            if index:
                acting.apply(view)
            yield view.frame

    def frame(self, index: int) -> Frame:
        return next(self.frames(index))

    def last(self) -> Frame:
        return self.frame(self.shot().frame_count - 1)


def same(first: Frame, second: Frame) -> bool:
    return all(np.array_equal(*pair) for pair in zip(first.planes(), second.planes(), strict=True))


def fall_px(first: Pixels, second: Pixels, reach_px: int, below: Pixels) -> tuple[float, float]:
    """How far what differs from `below` has moved from one frame to the next: right and down, by the peak of
    their cross-correlation within `reach_px`.
    """
    before, after = (np.abs(frame.astype(np.float32) - below) for frame in (first, second))
    inner = before[reach_px:-reach_px, reach_px:-reach_px]
    likeness = cv2.matchTemplate(after, inner, cv2.TM_CCOEFF_NORMED)
    _low, _high, _where, peak = cv2.minMaxLoc(likeness)
    return float(peak[0] - reach_px), float(peak[1] - reach_px)
