"""Snow: far flakes behind the subject, flakes around it, and a few large soft ones before the lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wanvideo.preview.effects.air import Drift, Layer, Numbers, unit_px
from wanvideo.preview.effects.planes import GREY
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.effects.stamps import Sheet, discs
from wanvideo.preview.effects.veil import veils
from wanvideo.preview.shot import Shot
from wanvideo.preview.view import View


@dataclass(frozen=True)
class _Kind:
    layer: Layer
    radius: tuple[float, float]
    opacity: tuple[float, float]
    soft: float
    behind_subject: float
    behind_near: float
    bleaches: bool  # large enough that its white shows in the chroma planes


def _kinds(wind: float) -> tuple[_Kind, ...]:
    return (
        _Kind(
            Layer(680, (0.05, 0.09), 0.5 * wind, (0.004, 0.012), (0.15, 0.4), 0.7),
            (0.0009, 0.0016), (0.45, 0.8), 1.2, 1.0, 0.6, bleaches=False,
        ),
        _Kind(
            Layer(230, (0.11, 0.17), wind, (0.006, 0.018), (0.2, 0.5), 1.2),
            (0.0018, 0.0031), (0.6, 0.95), 1.1, 0.8, 0.0, bleaches=True,
        ),
        _Kind(
            Layer(34, (0.28, 0.42), 2.2 * wind, (0.01, 0.03), (0.25, 0.5), 2.2),
            (0.0055, 0.0125), (0.28, 0.5), 1.0, 0.0, 0.0, bleaches=True,
        ),
    )  # fmt: skip


class Snow:
    def __init__(self, setting: Setting) -> None:
        shot, chance = setting.shot, setting.chance
        wind = float(chance.choice([-1, 1]) * chance.uniform(0.015, 0.045))
        self._flakes = [_Flakes(kind, shot, chance) for kind in _kinds(wind)]
        self._luma = Sheet((shot.height_px, shot.width_px))
        self._chroma = Sheet((shot.height_px // 2, shot.width_px // 2))

    def apply(self, view: View, arrival: float) -> None:
        # Lighter than the picture at any hour, yet never glaring in the dark.
        level = float(np.clip(np.quantile(view.frame.luma[::8, ::8], 0.9) + 60, 160, 234))
        for flakes in self._flakes:
            flakes.fall(view, arrival, level, self._luma, self._chroma)


class _Flakes:
    def __init__(self, kind: _Kind, shot: Shot, chance: np.random.Generator) -> None:
        self._kind = kind
        self._drift = Drift(kind.layer, shot, chance)
        size = chance.random(self._drift.count)
        low, high = kind.radius
        self._radius_px: Numbers = (low + (high - low) * size) * unit_px(shot)
        # What is larger is farther out of focus, and thinner.
        low, high = kind.opacity
        self._opacity: Numbers = high - (high - low) * size
        small = np.minimum(1.0, self._radius_px / 0.75)
        self._opacity, self._radius_px = self._opacity * small**2, np.maximum(self._radius_px, 0.75)

    def fall(self, view: View, arrival: float, level: float, luma: Sheet, chroma: Sheet) -> None:
        kind = self._kind
        x, y = self._drift.seen(view)
        hiding = veils(view, subject=kind.behind_subject, near=kind.behind_near)
        opacity = self._opacity * arrival
        flakes = discs(x, y, self._radius_px, opacity, luma.shape, kind.soft)
        luma.lay(flakes.behind(hiding), view.frame.luma, level)
        if kind.bleaches:
            flakes = discs(x / 2, y / 2, self._radius_px / 2, opacity, chroma.shape, kind.soft)
            flakes = flakes.behind(hiding)
            chroma.lay(flakes, view.frame.blue, GREY)
            chroma.lay(flakes, view.frame.red, GREY)
