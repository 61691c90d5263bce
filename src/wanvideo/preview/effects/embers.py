"""Embers: a few glowing sparks that rise, sway and flicker, with the light they shed around them."""

from __future__ import annotations

import math

import numpy as np

from wanvideo.preview.effects.air import Drift, Layer, Numbers, unit_px
from wanvideo.preview.effects.cover import cover
from wanvideo.preview.effects.setting import Setting
from wanvideo.preview.effects.stamps import Sheet, discs
from wanvideo.preview.view import View

# BT.709 limited range of a hot yellow and of a deep orange.
_CORE = (214, 84, 152)
_GLOW = (150, 74, 182)


class Embers:
    def __init__(self, setting: Setting) -> None:
        shot, chance = setting.shot, setting.chance
        wind = float(chance.choice([-1, 1]) * chance.uniform(0.02, 0.05))
        far = Layer(52, (-0.11, -0.06), 0.6 * wind, (0.006, 0.016), (0.15, 0.45), 0.9)
        near = Layer(24, (-0.26, -0.15), 1.4 * wind, (0.012, 0.035), (0.2, 0.5), 1.7)
        unit = unit_px(shot)
        luma = Sheet((shot.height_px, shot.width_px))
        chroma = Sheet((shot.height_px // 2, shot.width_px // 2))
        self._sparks = (
            _Sparks(Drift(far, shot, chance), chance, (0.0012 * unit, 0.0021 * unit), luma, chroma),
            _Sparks(Drift(near, shot, chance), chance, (0.0024 * unit, 0.0044 * unit), luma, chroma),
        )

    def apply(self, view: View, arrival: float) -> None:
        far, near = self._sparks
        far.glow(view, arrival, behind_subject=0.9)
        near.glow(view, arrival, behind_subject=0.0)


class _Sparks:
    def __init__(
        self,
        drift: Drift,
        chance: np.random.Generator,
        radius_px: tuple[float, float],
        luma: Sheet,
        chroma: Sheet,
    ) -> None:
        self._drift = drift
        self._luma, self._chroma = luma, chroma
        self._radius_px: Numbers = np.maximum(0.8, chance.uniform(*radius_px, drift.count))
        self._weight: Numbers = chance.uniform(0.45, 1.0, drift.count)
        self._flicker_hz = chance.uniform(1.2, 4.5, (2, drift.count))
        self._flicker_phase = chance.random((2, drift.count))

    def glow(self, view: View, arrival: float, behind_subject: float) -> None:
        x, y = self._drift.seen(view)
        waves = np.sin(math.tau * (self._flicker_hz * view.time_s + self._flicker_phase))
        flicker = np.clip(0.72 + 0.22 * waves[0] + 0.16 * waves[1], 0.1, 1)
        # They cool as they rise: bright below, gone before the upper rim.
        height = np.clip(y / self._luma.shape[0], 0, 1)
        light = arrival * self._weight * flicker * np.clip(0.12 + 1.3 * height, 0, 1)
        hidden = cover(view, behind_subject, 0.0)
        planes = view.frame.planes()
        for level, radius, opacity, soft in ((_GLOW, 8.0, 0.36, 2.0), (_CORE, 1.0, 1.0, 1.0)):
            for plane, value, sheet, scale in zip(
                planes, level, (self._luma, self._chroma, self._chroma), (1.0, 0.5, 0.5), strict=True
            ):
                wide = radius if radius > 1 else 1 / scale  # the core's colour reaches a sample around it
                spots = discs(
                    x * scale, y * scale, wide * scale * self._radius_px, opacity * light, sheet.shape, soft
                )
                if hidden is not None:
                    spots = spots.behind(hidden) if sheet is self._luma else spots.over(hidden)
                if sheet is self._luma and radius > 1:
                    sheet.lighten(spots, plane, value)
                else:
                    sheet.lay(spots, plane, value)
