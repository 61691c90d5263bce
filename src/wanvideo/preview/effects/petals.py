"""Petals: drawn once in a few shapes, then carried, turned and tumbled by the wind."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from wanvideo.preview.effects.air import Drift, Layer, unit_px
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.picture import Pixels
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import View

Shape = NDArray[np.float32]  # rows * columns * (cover, shade), both 0..1

_SIDE = 64  # of a drawn petal
_SHAPES = 6
# BT.709 chroma of pinks, from pale to deep.
_PINKS = ((126, 142), (124, 150), (123, 157), (121, 163))


@dataclass(frozen=True)
class _Kind:
    layer: Layer
    size: tuple[float, float]
    blur_share: float
    opacity: float
    behind_subject: bool


_KINDS = (
    _Kind(Layer(34, (0.07, 0.11), 0.05, (0.01, 0.03), (0.15, 0.4), 0.8), (0.012, 0.018), 0.0, 0.92, True),
    _Kind(Layer(24, (0.12, 0.18), 0.09, (0.02, 0.05), (0.2, 0.4), 1.2), (0.022, 0.034), 0.0, 0.96, False),
    _Kind(Layer(6, (0.24, 0.32), 0.16, (0.03, 0.06), (0.2, 0.35), 2.0), (0.045, 0.06), 0.11, 0.62, False),
)


class Petals:
    def __init__(self, setting: Setting) -> None:
        shot, chance, exposure = setting.shot, setting.chance, setting.exposure
        way = float(chance.choice([-1, 1]))
        drawn = [_draw(chance) for _shape in range(_SHAPES)]
        bright = float(np.clip(0.5 * exposure.bright + 110, 150, 225))
        self._layers = [_Petals(kind, way, drawn, bright, shot, chance) for kind in _KINDS]

    def apply(self, view: View, arrival: float) -> None:
        for layer in self._layers:
            layer.fall(view, arrival)


class _Petals:
    def __init__(
        self,
        kind: _Kind,
        way: float,
        drawn: list[Shape],
        bright: float,
        shot: Shot,
        chance: np.random.Generator,
    ) -> None:
        self._kind, self._bright = kind, bright
        layer = kind.layer
        leaning = Layer(layer.count, layer.speed, way * layer.wind, layer.sway, layer.sway_hz, layer.nearness)
        self._drift = Drift(leaning, shot, chance)
        blur_px = kind.blur_share * _SIDE
        if blur_px:
            drawn = [np.asarray(cv2.GaussianBlur(shape, (0, 0), blur_px), np.float32) for shape in drawn]
        count = self._drift.count
        self._shapes = [drawn[number] for number in chance.integers(len(drawn), size=count)]
        self._pinks = [_PINKS[number] for number in chance.integers(len(_PINKS), size=count)]
        self._size_px = chance.uniform(*kind.size, count) * unit_px(shot)
        self._turn = chance.random(count) * math.tau
        self._turn_per_s = chance.uniform(0.5, 1.6, count) * chance.choice([-1, 1], count)
        self._tumble = chance.random(count) * math.tau
        self._tumble_per_s = chance.uniform(1.6, 3.8, count)

    def fall(self, view: View, arrival: float) -> None:
        x, y = self._drift.seen(view)
        turn = self._turn + self._turn_per_s * view.time_s - view.roll_rad
        tumble = self._tumble + self._tumble_per_s * view.time_s
        hides = view.region("subject") if self._kind.behind_subject else None
        for number, shape in enumerate(self._shapes):
            facing = math.cos(tumble[number])
            pose = _pose(self._size_px[number], turn[number], facing)
            patch = _Patch.at(x[number], y[number], pose, shape, view.frame.luma.shape)
            if patch is None:
                continue
            # Turned away it is in its own shade.
            light = self._bright * (0.78 + 0.22 * abs(facing))
            patch.lay(view, arrival * self._kind.opacity, light, self._pinks[number], hides)


def _pose(size_px: float, turn: float, facing: float) -> NDArray[np.float64]:
    """2 * 2: from a drawn petal's samples to pixels. Edge-on it is thin, never gone."""
    squeeze = math.copysign(max(0.22, abs(facing)), facing)
    across, along = math.cos(turn), math.sin(turn)
    scale = size_px / _SIDE
    return scale * np.array([[across * squeeze, -along], [along * squeeze, across]])


@dataclass(frozen=True)
class _Patch:
    """A petal as the frame sees it. The corner and the sides are even, so that chroma fits."""

    row: int
    column: int
    shape: Shape

    @classmethod
    def at(
        cls, x: float, y: float, pose: NDArray[np.float64], shape: Shape, frame: tuple[int, ...]
    ) -> _Patch | None:
        reach = math.ceil(float(np.abs(pose).sum(axis=1).max()) * _SIDE / 2) + 1
        left, top = max(0, math.floor(x) - reach) & ~1, max(0, math.floor(y) - reach) & ~1
        right, bottom = (
            min(frame[1], math.floor(x) + reach + 2) & ~1,
            min(frame[0], math.floor(y) + reach + 2) & ~1,
        )
        if right <= left or bottom <= top:
            return None
        middle = pose @ np.array([_SIDE / 2, _SIDE / 2])
        offset = np.array([x - left, y - top]) - middle
        moved = cv2.warpAffine(
            shape, np.column_stack([pose, offset]), (right - left, bottom - top), flags=cv2.INTER_AREA
        )
        return cls(top, left, np.asarray(moved, np.float32))

    def lay(
        self, view: View, opacity: float, light: float, pink: tuple[int, int], hides: Pixels | None
    ) -> None:
        rows, columns = self.shape.shape[:2]
        cover = self.shape[..., 0] * np.float32(opacity)
        half = (
            slice(self.row // 2, (self.row + rows) // 2),
            slice(self.column // 2, (self.column + columns) // 2),
        )
        if hides is not None:
            shown = np.float32(1) - hides[half].astype(np.float32) / 255
            cover = cover * shown.repeat(2, axis=0).repeat(2, axis=1)
        luma = view.frame.luma[self.row : self.row + rows, self.column : self.column + columns]
        # The shade is premultiplied by the cover: its rim does not darken.
        level = np.float32(light) * self.shape[..., 1] / np.maximum(self.shape[..., 0], np.float32(1e-3))
        luma[:] = (luma + (level - luma) * cover + np.float32(0.5)).astype(np.uint8)
        coarse = cover.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3))
        for plane, value in zip((view.frame.blue, view.frame.red), pink, strict=True):
            part = plane[half]
            part[:] = (part + (np.float32(value) - part) * coarse + np.float32(0.5)).astype(np.uint8)


def _draw(chance: np.random.Generator) -> Shape:
    """One petal: round at the tip with a small notch, narrow at the stem, darker towards it."""
    bend, width = chance.uniform(-0.16, 0.16), chance.uniform(0.62, 0.85)
    notch, side = chance.uniform(0.03, 0.12), 8 * _SIDE
    along = np.linspace(0, 1, 80)
    half = 0.46 * width * np.sin(math.pi * along**1.5) ** 0.75 * (1 - 0.1 * along)
    middle = 0.5 + bend * (along - 0.5) ** 2 * 4 - bend / 2
    left = np.column_stack([middle - half, 0.06 + 0.86 * along])
    right = np.column_stack([middle + half, 0.06 + 0.86 * along])[::-1]
    outline = np.concatenate([left, right])
    large = np.zeros((side, side), np.uint8)
    cv2.fillPoly(large, [np.rint(outline * side).astype(np.int32)], 255)
    cv2.circle(large, (round(side * middle[-1]), round(side * 0.97)), round(side * (notch + 0.03)), 0, -1)
    cover = np.asarray(cv2.resize(large, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32) / 255
    y, x = np.mgrid[0 : 1 : _SIDE * 1j, 0 : 1 : _SIDE * 1j].astype(np.float32)
    vein = 0.05 * np.cos(14 * (x - 0.5)) * (1 - y)
    shade = np.clip(0.76 + 0.26 * y + vein - 0.1 * np.abs(x - 0.5), 0, 1.05)
    return np.dstack([cover, cover * shade]).astype(np.float32)
